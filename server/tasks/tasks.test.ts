import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createIngest } from '#server/logs/ingest.ts'
import { openStore } from '#server/store/open.ts'
import { createTasks, type TaskChange } from './tasks.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'keruta-tasks-'))
const store = await openStore({ kind: 'sqlite', dataDir })
afterAll(async () => {
  await store.close()
  await rm(dataDir, { recursive: true })
})

const changes: TaskChange[] = []
const deletedLogs: string[] = []
beforeEach(() => {
  changes.length = 0
  deletedLogs.length = 0
})

/** Another server over the same store. */
const open = () =>
  createTasks({
    store,
    segments: store.segments,
    logState: () => ({ state: 'complete', detail: '' }),
    deleteLogs: async id => deletedLogs.push(id),
    onChange: change => changes.push(change),
    clock: () => Date.parse('2026-03-01T12:00:00.000Z'),
    newId: () => 'made-up',
  })
const tasks = open()
const ops = { name: 'ops' }

test('a task that is written to comes into being once, whoever comes first', async () => {
  await Promise.all(Array.from({ length: 20 }, () => open().ensure('lines', ops, null)))
  expect(changes.map(({ kind, task }) => [kind, task.id])).toEqual([['created', 'lines']])
  expect(await tasks.get('lines')).toMatchObject({ name: 'lines', status: 'PENDING' })
})

test('a task that was deleted comes into being again when it is written to', async () => {
  await tasks.ensure('twice', ops)
  await tasks.remove('twice')
  expect(deletedLogs).toEqual(['twice'])
  await tasks.ensure('twice', ops)
  expect(await tasks.find('twice')).toBeDefined()
})

/** Lines on their way to the store that come there once `let` is called. */
function heldLines(taskId: string, ensuredBy: typeof tasks) {
  const held = Promise.withResolvers<void>()
  const ingest = createIngest({
    segments: {
      ...store.segments,
      async append(...given) {
        await held.promise
        return store.segments.append(...given)
      },
    },
    ensureTask: id => ensuredBy.ensure(id, ops),
    publish: () => {},
    onCommit: () => {},
    now: Date.now,
  })
  const appended = ingest.appendEntries(taskId, [{ source: 'stdout', level: 'INFO', message: 'late' }])
  return {
    async let() {
      held.resolve()
      await appended
      await ingest.idle()
    },
  }
}

test('lines that are being stored while their task is removed bring it back', async () => {
  await tasks.ensure('held', ops)
  const lines = heldLines('held', tasks)
  await tasks.remove('held')
  await lines.let()
  expect(await tasks.find('held')).toBeDefined()
})

test('lines that are stored after another server removed their task bring it back when this one hears of it', async () => {
  await tasks.ensure('afar', ops)
  const lines = heldLines('afar', tasks)
  await open().remove('afar')
  await lines.let()
  await tasks.removedElsewhere('afar')
  expect(await tasks.find('afar')).toBeDefined()
  await tasks.ensure('empty', ops)
  await open().remove('empty')
  await tasks.removedElsewhere('empty')
  expect(await tasks.find('empty')).toBeUndefined()
})

test.each(['unknown', 'known'])('a start names no session that is not there, of an %s task', async kind => {
  if (kind === 'known') await tasks.ensure(kind, ops)
  const start = tasks.start(kind, { sessionId: 'none' }, ops)
  await expect(start).rejects.toMatchObject({ code: 'BAD_REQUEST', errors: [{ path: 'sessionId' }] })
})

test('a run whose lines came first is kept in its session, also where that is over by then', async () => {
  const at = '2026-03-01T12:00:00.000Z'
  const none = { description: null, workspaceId: null, template: null, tags: [] }
  const over = { id: 'over', name: 'over', status: 'COMPLETED' as const, createdAt: at, updatedAt: at }
  await store.sessions.insert({ ...none, ...over })
  await tasks.ensure('ran', ops)
  expect(await tasks.start('ran', { sessionId: 'over' }, ops)).toMatchObject({ sessionId: 'over' })
  await expect(tasks.start('new', { sessionId: 'over' }, ops)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})

test('of twenty servers that start a task, one does, also where all must create it', async () => {
  const starts = Array.from({ length: 20 }, (_, index) => open().start('race', { agentId: `a${index}` }, ops))
  const settled = await Promise.allSettled(starts)
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const reasons = settled.flatMap(result => (result.status === 'rejected' ? [result.reason.code] : []))
  expect(new Set(reasons)).toEqual(new Set(['ILLEGAL_TRANSITION']))
  expect((await tasks.get('race')).statusHistory).toHaveLength(2)
})

test('an agent that repeats its start at the same moment starts once', async () => {
  const starts = Array.from({ length: 10 }, () => open().start('again', { agentId: 'a' }, ops))
  const started = await Promise.all(starts)
  expect(started.every(task => task.status === 'PROCESSING')).toBe(true)
  expect((await tasks.get('again')).statusHistory).toHaveLength(2)
})

test('of a deletion and a start at once, either the task runs or it is gone', async () => {
  for (let round = 0; round < 10; round++) {
    const id = `either-${round}`
    await tasks.create({ id, priority: 0, maxAttempts: 1 }, ops)
    const [removed, started] = await Promise.allSettled([
      open().remove(id),
      open()
        .success(id, {}, ops)
        .catch(() => open().start(id, { agentId: 'a' }, ops)),
    ])
    const left = await tasks.find(id)
    if (removed.status === 'rejected') expect(left?.status).toBe('PROCESSING')
    if (left === undefined) expect(removed.status).toBe('fulfilled')
    if (left) expect(started.status).toBe('fulfilled')
  }
})

test('changes that do not touch one another are all kept', async () => {
  await tasks.create({ id: 'busy', priority: 0, maxAttempts: 1 }, ops)
  await tasks.start('busy', { agentId: 'a' }, ops)
  await Promise.all([
    tasks.patch('busy', { name: 'Busy' }),
    tasks.progress('busy', { progress: 50 }),
    tasks.patch('busy', { priority: 7 }),
  ])
  expect(await tasks.get('busy')).toMatchObject({ name: 'Busy', progress: 50, priority: 7 })
})

test('an agent that was cut off does not end the run that another has begun since', async () => {
  await tasks.start('moved', { agentId: 'first' }, ops)
  await tasks.cancel('moved', null, ops)
  await tasks.retry('moved', null, ops)
  await tasks.start('moved', { agentId: 'second' }, ops)
  await expect(tasks.fail('moved', { agentId: 'first', exitCode: 137 }, ops)).rejects.toMatchObject({
    code: 'ILLEGAL_TRANSITION',
  })
  await expect(tasks.success('moved', { agentId: 'first' }, ops)).rejects.toMatchObject({
    code: 'ILLEGAL_TRANSITION',
  })
  expect((await tasks.get('moved')).status).toBe('PROCESSING')
  expect((await tasks.success('moved', { agentId: 'second' }, ops)).status).toBe('COMPLETED')
})

test('a run that another agent found dead does not come back by a heartbeat that is late', async () => {
  await tasks.start('dead', { agentId: 'gone', heartbeat: true }, ops)
  await tasks.fail('dead', { agentId: 'gone', errorCode: 'AGENT_LOST', message: 'the agent died' }, ops)
  await tasks.heartbeat('dead', 'gone')
  expect((await tasks.get('dead')).status).toBe('FAILED')
})
