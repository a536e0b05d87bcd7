import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TaskView } from '#protocol/task.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
})
afterAll(() => server.dispose())

async function connect(key = ADMIN_KEY): Promise<Socket> {
  const socket = io(server.url, {
    transports: ['websocket'],
    forceNew: true,
    extraHeaders: { authorization: `Bearer ${key}` },
  })
  await new Promise<void>(resolve => socket.once('connect', resolve))
  return socket
}

test('An answer that is asked for without a function to take it is left out', async () => {
  const socket = await connect()
  for (const event of ['subscribe', 'unsubscribe'])
    for (const request of [{ taskId: 't' }, { taskId: '/' }, 7, null])
      socket.emit(event, request, 'no function')
  const answer = await socket.emitWithAck('subscribe', { taskId: 't' })
  expect(answer).toEqual({ ok: true, after: 0, lastSeq: 0 })
  expect(server.output).not.toContain('Error')
  socket.close()
})

test('A subscription that is not understood is answered with what is wrong', async () => {
  const socket = await connect()
  const told = async (request: unknown) => (await socket.emitWithAck('subscribe', request)).error.message
  expect(await told({ taskId: 't', options: { level: 'ERROR' } })).toMatch(
    /: options: unknown option "level"/,
  )
  expect(await told({ taskId: 't', options: { after: -1 } })).toContain(': options: after: Too small')
  expect(await told({ options: {} })).toContain(': taskId: Invalid input')
  expect(await told(7)).toMatch(/^subscribe takes \{taskId/)
  socket.close()
})

test('Of two subscriptions to one task at once the last counts, and no line comes twice', async () => {
  const socket = await connect()
  const seqs: number[] = []
  socket.on('logs', ({ entries }) => seqs.push(...entries.map(({ seq }: { seq: number }) => seq)))
  const subscribe = () => socket.emitWithAck('subscribe', { taskId: 'twice', options: { after: 0 } })
  await Promise.all(Array.from({ length: 20 }, subscribe))
  await server.post('/tasks/twice/logs', [{ message: 'a' }, { message: 'b' }])
  await expect.poll(() => seqs.length).toBeGreaterThanOrEqual(2)
  await socket.emitWithAck('unsubscribe', { taskId: 'twice' })
  await server.post('/tasks/twice/logs', [{ message: 'c' }])
  await subscribe()
  await expect.poll(() => seqs.at(-1)).toBe(3)
  expect(seqs).toEqual([1, 2, 1, 2, 3])
  socket.close()
})

test('A task that is left before its subscription is answered is left', async () => {
  const socket = await connect()
  const seqs: number[] = []
  socket.on('logs', ({ entries }) => seqs.push(...entries.map(({ seq }: { seq: number }) => seq)))
  const subscribed = socket.emitWithAck('subscribe', { taskId: 'left' })
  await socket.emitWithAck('unsubscribe', { taskId: 'left' })
  await subscribed.catch(() => undefined)
  await server.post('/tasks/left/logs', [{ message: 'a' }])
  await socket.emitWithAck('subscribe', { taskId: 'left', options: { after: 1 } })
  await server.post('/tasks/left/logs', [{ message: 'b' }])
  await expect.poll(() => seqs).toEqual([2])
  socket.close()
})

test('A change is told once to each, whole to who watches the task, and without values to who may not run it', async () => {
  const { key } = await server.post<{ key: string }>('/api-keys', { name: 'eyes', role: 'viewer' })
  await server.post('/tasks', { id: 'seen', script: 'make', env: { STAGE: 'secret' } })
  const sockets = [await connect(), await connect(), await connect(key)] as const
  const [lists, both, viewer] = sockets
  const told = sockets.map(socket => {
    const tasks: TaskView[] = []
    socket.on('task', ({ task }) => task.id === 'seen' && tasks.push(task))
    return tasks
  })
  for (const socket of [lists, both]) await socket.emitWithAck('subscribe', { channel: 'tasks' })
  for (const socket of [both, viewer]) await socket.emitWithAck('subscribe', { taskId: 'seen' })
  await server.post('/tasks/seen/start', {})
  await server.post('/tasks/seen/success', {})
  const states = (tasks: TaskView[]) => tasks.map(({ status }) => status)
  for (const tasks of told) await expect.poll(() => states(tasks)).toEqual(['PROCESSING', 'COMPLETED'])
  const [row, whole, hidden] = told.map(tasks => tasks[1]!)
  expect(row).toMatchObject({ hasScript: true, statusHistory: [{ status: 'COMPLETED' }] })
  expect(row).not.toHaveProperty('script')
  expect(whole).toMatchObject({ script: 'make', env: { STAGE: 'secret' } })
  expect(whole!.statusHistory).toHaveLength(3)
  expect(hidden).toMatchObject({ script: 'make', env: { STAGE: '***' } })
  for (const socket of sockets) socket.close()
})
