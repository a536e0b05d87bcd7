import { once } from 'node:events'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerFrame } from '#protocol/frames.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start({ KERUTA_SERVER_LOG_LEVEL: 'debug' })
})
afterAll(() => server.dispose())

let taskId = ''
let tasks = 0
beforeEach(async () => {
  taskId = `t${++tasks}`
  await server.post(`/tasks/${taskId}/start`, { agentId: 'host:1/1', interactive: true })
})

type InputFrame = Extract<ServerFrame, { type: 'input' }>

async function connect(hello?: { agentId?: string }, token = ADMIN_KEY) {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const frames: ServerFrame[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  await once(ws, 'open')
  if (hello) ws.send(JSON.stringify({ type: 'hello', streamId: 's', ...hello }))
  else ws.send(JSON.stringify({ type: 'subscribe' }))
  await expect.poll(() => frames.length).toBeGreaterThan(0)
  const inputs = () => frames.filter((frame): frame is InputFrame => frame.type === 'input')
  return {
    frames,
    inputs,
    texts: () => inputs().map(({ text }) => text),
    take: (id: string) => ws.send(JSON.stringify({ type: 'inputTaken', id })),
    /** A frame that is answered after all that went before. */
    async settled() {
      ws.send(JSON.stringify({ type: 'ping' }))
      const pongs = () => frames.filter(({ type }) => type === 'pong').length
      const before = pongs()
      await expect.poll(pongs).toBeGreaterThan(before)
    },
    async close() {
      ws.close()
      await once(ws, 'close')
    },
  }
}
const agent = () => connect({ agentId: 'host:1/1' })
const type = (text: string, secret = false) =>
  server.post<{ id: string }>(`/tasks/${taskId}/input`, { text, secret })
const waiting = (prompt: string | null) => server.post(`/tasks/${taskId}/waiting`, { prompt })

test('what was typed before the agent came, and what is typed then, reaches it once, in order', async () => {
  await type('one')
  await type('two')
  const connected = await agent()
  await expect.poll(connected.texts).toEqual(['one\n', 'two\n'])
  await type('three')
  await expect.poll(connected.texts).toEqual(['one\n', 'two\n', 'three\n'])
  expect(connected.inputs()[0]).toMatchObject({ taskId, eof: false, secret: false, by: expect.any(String) })
  await connected.close()
})

test('an agent that is cut off gets what it has not taken again, and nothing else, also from a server that was killed', async () => {
  const first = await agent()
  await waiting('Name? ')
  const { id } = await type('taken')
  await type('not taken')
  await expect.poll(first.texts).toEqual(['taken\n', 'not taken\n'])
  first.take(id)
  await expect
    .poll(async () => (await (await server.api(`/tasks/${taskId}`)).json()).waitingForInput)
    .toBeNull()
  await type('third')
  await expect.poll(() => first.texts().length).toBe(3)
  await server.stop('SIGKILL')
  await server.start()
  const second = await agent()
  await expect.poll(second.texts).toEqual(['not taken\n', 'third\n'])
  await second.close()
})

test('nobody else gets it: not another run, not a reader, not a key that may not write', async () => {
  const others = [await connect({ agentId: 'host:1/2' }), await connect({}), await connect()]
  const { key } = await server.post<{ key: string }>('/api-keys', { name: 'eyes', role: 'viewer' })
  others.push(await connect({ agentId: 'host:1/1' }, key))
  const own = await agent()
  await type('only for one')
  await expect.poll(own.texts).toEqual(['only for one\n'])
  for (const other of others) {
    await other.settled()
    expect(other.texts()).toEqual([])
    await other.close()
  }
  await own.close()
})

test('readers learn at once that a script waits, and that it goes on', async () => {
  const reader = await connect()
  const socket = io(server.url, {
    transports: ['websocket'],
    extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  const told: unknown[] = []
  socket.on('task', ({ task }) => told.push(task.waitingForInput?.prompt ?? null))
  await socket.emitWithAck('subscribe', { channel: 'tasks' })
  const own = await agent()
  await waiting('Go on? ')
  const prompts = () =>
    reader.frames.flatMap(frame =>
      frame.type === 'status' ? [frame.task.waitingForInput?.prompt ?? null] : [],
    )
  await expect.poll(prompts).toEqual(['Go on? '])
  await expect.poll(() => told).toEqual(['Go on? '])
  const { id } = await type('yes')
  await expect.poll(own.texts).toEqual(['yes\n'])
  own.take(id)
  await expect.poll(prompts).toEqual(['Go on? ', null])
  await expect.poll(() => told).toEqual(['Go on? ', null])
  socket.close()
  await Promise.all([reader.close(), own.close()])
})

test('a secret lies in no log and, once it is taken, nowhere', async () => {
  const own = await agent()
  const { id } = await type('correct horse', true)
  await expect.poll(own.inputs).toMatchObject([{ text: 'correct horse\n', secret: true }])
  own.take(id)
  await own.settled()
  await server.post(`/tasks/${taskId}/success`, {})
  expect(server.output).not.toContain('correct horse')
  expect(await (await server.api(`/tasks/${taskId}`)).text()).not.toContain('correct horse')
  await own.close()
})
