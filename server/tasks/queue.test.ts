import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { KerutaError } from '#protocol/errors.ts'
import type { Task } from '#protocol/task.ts'
import type { Store } from '#server/store/store.ts'
import { onEachStore } from '#server/testing/each-store.ts'
import { Heartbeats } from './heartbeats.ts'
import { createSessions } from './sessions.ts'
import { createTasks } from './tasks.ts'
import { RunWatch } from './watch.ts'

const ops = { name: 'ops' }
const RACERS = 20
const T0 = Date.parse('2026-03-01T12:00:00.000Z')

/** Time of day, and a clock that never jumps; seconds. */
const time = { wall: 0, monotonic: 0 }
const pass = (seconds: number) => {
  time.wall += seconds
  time.monotonic += seconds
}
const clock = () => T0 + time.wall * 1000
const monotonic = () => time.monotonic * 1000

/** What one server makes of the store. */
function serverOn(store: Store) {
  const ended: string[] = []
  const tasks = createTasks({
    store,
    segments: store.segments,
    logState: () => ({ state: 'complete', detail: '' }),
    deleteLogs: async () => {},
    onChange: () => {},
    clock,
    newId: () => crypto.randomUUID(),
  })
  const newId = () => crypto.randomUUID()
  const sessions = createSessions({
    store,
    removeTask: tasks.remove,
    onChange: () => {},
    serving: () => ({ daemons: 0, lastSeenAt: null }),
    clock,
    newId,
  })
  const logger = { warn: () => {} }
  return {
    tasks,
    sessions,
    ended,
    heartbeats: new Heartbeats({ tasks: store.tasks, leases: tasks, clock, monotonic }),
    watch: new RunWatch({ store, changes: tasks, onEnded: why => ended.push(why), logger, clock, monotonic }),
  }
}
type Server = ReturnType<typeof serverOn>

await onEachStore(shared => {
  let store: Store
  let servers: Server[]
  let server: Server
  let sessionId: string
  let made = 0
  beforeAll(async () => {
    store = await shared().open()
    servers = await Promise.all(Array.from({ length: 3 }, async () => serverOn(await shared().open())))
    server = servers[0]!
  })
  beforeEach(async () => {
    // Nothing of another test is looked at.
    await store.tasks.remove({})
    sessionId = (await server.sessions.create({ name: 'queue', tags: [] })).id
  })

  const add = (fields: Partial<Task> = {}) => {
    const id = `t${++made}`
    const { priority = 0, maxAttempts = 1, script = 'true', timeoutSeconds } = fields
    return server.tasks.create({ id, sessionId, priority, maxAttempts, script, timeoutSeconds }, ops)
  }
  const claim = async (agentId: string, at = server) =>
    (await at.tasks.claim(sessionId, { agentId }, { name: `agent:${agentId}` }))?.task
  const race = <T>(run: (server: Server, racer: number) => Promise<T>) =>
    Promise.all(Array.from({ length: RACERS }, (_, racer) => run(servers[racer % 3]!, racer)))
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      error => (error as KerutaError).code,
    )
  /** Looks every five seconds on all servers. */
  const watchFor = async (seconds: number, meanwhile: (at: number) => Promise<unknown> = async () => {}) => {
    for (let at = 0; at < seconds; at += 5) {
      pass(5)
      await meanwhile(at + 5)
      await Promise.all(servers.map(({ watch }) => watch.look()))
    }
  }
  const states = ({ statusHistory }: Task) => statusHistory.map(({ status, by }) => `${status} ${by}`)

  test('a task is claimed by one of twenty, and the others get nothing', async () => {
    const { id } = await add()
    const claimed = await race((at, racer) => claim(`a${racer}`, at))
    const winners = claimed.filter(task => task !== undefined)
    expect(winners).toMatchObject([
      { id, status: 'PROCESSING', leaseUntil: new Date(clock() + 40_000).toISOString() },
    ])
    expect(await server.tasks.get(id)).toMatchObject({ agentId: winners[0]!.agentId })
    expect((await server.tasks.get(id)).statusHistory).toHaveLength(2)
  })

  test('twenty agents on three servers take twenty tasks, each one', async () => {
    const ids = (await Promise.all(Array.from({ length: RACERS }, () => add()))).map(({ id }) => id)
    const claimed = await race((at, racer) => claim(`a${racer}`, at))
    expect(claimed.map(task => task!.id).sort()).toEqual(ids.sort())
    expect(await claim('late')).toBeUndefined()
  })

  test('the highest priority is taken first, then the oldest; a changed priority counts at once', async () => {
    const ids: string[] = []
    for (const priority of [0, 5, 0, 5, -1]) {
      ids.push((await add({ priority })).id)
      pass(1)
    }
    const [a, b, c, d, e] = ids
    await server.tasks.patch(e!, { priority: 9 })
    const order: string[] = []
    for (let run = 0; run < 5; run++) order.push((await claim(`a${run}`))!.id)
    expect(order).toEqual([e, b, d, a, c])
  })

  test('a task without a script is left to whoever runs it, and can be claimed once it has one', async () => {
    const { id } = await add({ script: null })
    expect(await claim('a')).toBeUndefined()
    await server.tasks.patch(id, { script: 'true' })
    expect((await claim('a'))?.id).toBe(id)
  })

  test('a run that claims again, because the answer was lost, has the task that it had', async () => {
    const [first] = [await add(), await add()]
    expect((await claim('a/1'))?.id).toBe(first.id)
    pass(30)
    const again = await claim('a/1', servers[1])
    expect(again).toMatchObject({ id: first.id, leaseUntil: new Date(clock() + 40_000).toISOString() })
    expect((await claim('a/2'))?.id).not.toBe(first.id)
  })

  test('a run that claims on several servers at once has one task, and the others stay in the queue', async () => {
    for (let task = 0; task < 5; task++) await add()
    const claimed = await Promise.all([...servers, ...servers].map(at => claim('same', at)))
    const running = await store.tasks.find({ where: { status: 'PROCESSING' } })
    expect(running.map(({ id }) => id)).toEqual([claimed.at(-1)!.id])
    expect(await store.tasks.count({ status: 'PENDING' })).toBe(4)
  })

  test('a session that is not active gives out nothing, but what a run has already', async () => {
    const [mine] = [await add(), await add()]
    await claim('a')
    for (const status of ['COMPLETED', 'ARCHIVED'] as const) {
      await server.sessions.patch(sessionId, { status })
      expect(await codeOf(claim('b'))).toBe('CONFLICT')
      expect((await claim('a'))?.id).toBe(mine.id)
      expect(await codeOf(add())).toBe('BAD_REQUEST')
    }
    await server.sessions.patch(sessionId, { status: 'ACTIVE' })
    expect(await claim('b')).toBeDefined()
    expect(await codeOf(server.tasks.claim('nowhere', { agentId: 'a' }, ops))).toBe('NOT_FOUND')
  })

  test('of three servers that remove a session at once none fails, and no task of it is left', async () => {
    await Promise.all(Array.from({ length: 12 }, () => add()))
    const codes = await Promise.all(servers.map(({ sessions }) => codeOf(sessions.remove(sessionId))))
    expect(codes.filter(code => code !== undefined)).toEqual([])
    expect(await codeOf(server.sessions.get(sessionId))).toBe('NOT_FOUND')
    expect(await store.tasks.count({ sessionId })).toBe(0)
  })

  test('a list of sessions counts the tasks of each', async () => {
    await add()
    await add()
    await claim('a/1')
    const other = (await server.sessions.create({ name: 'empty', tags: [] })).id
    const { sessions } = await server.sessions.list({ ids: [sessionId, other], page: 0, size: 10 })
    const counts = Object.fromEntries(sessions.map(({ id, taskCounts }) => [id, taskCounts]))
    const none = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0, CANCELLED: 0 }
    expect(counts).toEqual({ [sessionId]: { ...none, PENDING: 1, PROCESSING: 1 }, [other]: none })
  })

  test('a task that is given back waits again in the same attempt, for anybody', async () => {
    const { id } = await add()
    await claim('a')
    expect(await codeOf(server.tasks.release(id, { agentId: 'b' }, ops))).toBe('ILLEGAL_TRANSITION')
    const back = await server.tasks.release(
      id,
      { agentId: 'a', message: 'the daemon stops' },
      { name: 'agent:a' },
    )
    expect(back).toMatchObject({
      status: 'PENDING',
      attempt: 1,
      agentId: null,
      leaseUntil: null,
      startedAt: null,
    })
    expect(back.statusHistory.at(-1)).toMatchObject({ by: 'agent:a', message: 'the daemon stops' })
    expect((await claim('b'))?.id).toBe(id)
    expect(await codeOf(server.tasks.heartbeat(id, 'a'))).toBe('ILLEGAL_TRANSITION')
  })

  test('a failure with attempts left goes back to the queue at once, and to its end after the last', async () => {
    const { id } = await add({ maxAttempts: 2 })
    await claim('a/1')
    const failed = await server.tasks.fail(
      id,
      { agentId: 'a/1', message: 'boom', exitCode: 1 },
      { name: 'agent:a/1' },
    )
    expect(failed).toMatchObject({
      status: 'PENDING',
      attempt: 2,
      maxAttempts: 2,
      exitCode: null,
      message: null,
    })
    expect(states(failed)).toEqual([
      'PENDING ops',
      'PROCESSING agent:a/1',
      'FAILED agent:a/1',
      'PENDING server',
    ])
    await claim('a/2')
    const again = await server.tasks.fail(id, { agentId: 'a/2', exitCode: 1 }, { name: 'agent:a/2' })
    expect(again).toMatchObject({ status: 'FAILED', attempt: 2, exitCode: 1, leaseUntil: null })
    const retried = await server.tasks.retry(id, null, ops)
    expect(retried).toMatchObject({ status: 'PENDING', attempt: 3, maxAttempts: 3 })
  })

  test('a cancel ends a task whatever attempts are left', async () => {
    const { id } = await add({ maxAttempts: 3 })
    await claim('a')
    expect(await server.tasks.cancel(id, 'enough', ops)).toMatchObject({
      status: 'CANCELLED',
      attempt: 1,
      leaseUntil: null,
    })
    expect(await codeOf(server.tasks.heartbeat(id, 'a'))).toBe('ILLEGAL_TRANSITION')
  })

  test('an agent that falls silent is lost within a minute, by one server only', async () => {
    const { id } = await add()
    await watchFor(60)
    await claim('a')
    await watchFor(40)
    expect((await server.tasks.get(id)).status).toBe('PROCESSING')
    await watchFor(20)
    const lost = await server.tasks.get(id)
    expect(lost).toMatchObject({ status: 'FAILED', errorCode: 'AGENT_LOST', leaseUntil: null, agentId: 'a' })
    expect(states(lost)).toEqual(['PENDING ops', 'PROCESSING agent:a', 'FAILED server'])
    expect(lost.message).toContain('agent a was not heard for 40 s')
    expect(servers.flatMap(({ ended }) => ended.splice(0))).toEqual(['lost'])
  })

  test('an agent that says that it lives keeps its run, however long it takes', async () => {
    const { id } = await add()
    await claim('a')
    await watchFor(300, async at => at % 10 === 0 && server.tasks.heartbeat(id, 'a'))
    expect(await server.tasks.get(id)).toMatchObject({ status: 'PROCESSING', attempt: 1 })
  })

  test('a run of which nobody promised a word is left alone', async () => {
    const { id } = await add()
    await server.tasks.start(id, { agentId: 'a' }, ops)
    await watchFor(300)
    expect((await server.tasks.get(id)).status).toBe('PROCESSING')
  })

  test('neither a jump of the clock nor another clock on another server loses a living agent', async () => {
    const { id } = await add()
    await claim('a')
    const living = async (at: number) => at % 10 === 0 && server.tasks.heartbeat(id, 'a')
    for (const jump of [3600, -7200]) {
      time.wall += jump
      await watchFor(100, living)
      expect((await server.tasks.get(id)).status).toBe('PROCESSING')
    }
    time.wall -= 3600
    await watchFor(60)
    expect((await server.tasks.get(id)).status).toBe('FAILED')
  })

  test('a lost agent that comes back goes on, and its true end replaces the presumed one', async () => {
    const { id } = await add()
    await server.tasks.start(id, { agentId: 'a', heartbeat: true, interactive: true }, { name: 'agent:a' })
    await watchFor(60)
    const back = await server.tasks.heartbeat(id, 'a')
    expect(back).toMatchObject({
      status: 'PROCESSING',
      errorCode: null,
      finishedAt: null,
      interactive: true,
      message: null,
    })
    expect(back.leaseUntil).not.toBeNull()
    await watchFor(60)
    expect((await server.tasks.get(id)).status).toBe('FAILED')
    expect(await codeOf(server.tasks.success(id, { agentId: 'b' }, ops))).toBe('ILLEGAL_TRANSITION')
    expect(await codeOf(server.tasks.success(id, {}, ops))).toBe('ILLEGAL_TRANSITION')
    const done = await server.tasks.success(id, { agentId: 'a', exitCode: 0 }, { name: 'agent:a' })
    expect(done).toMatchObject({ status: 'COMPLETED', errorCode: null, exitCode: 0, interactive: false })
    expect(states(done).slice(2)).toEqual([
      'FAILED server',
      'PROCESSING agent:a',
      'FAILED server',
      'COMPLETED agent:a',
    ])
  })

  test("a lost agent's task with attempts left is another's, and the lost one is told so", async () => {
    const { id } = await add({ maxAttempts: 2 })
    await claim('a')
    await watchFor(60)
    expect(await server.tasks.get(id)).toMatchObject({
      status: 'PENDING',
      attempt: 2,
      agentId: null,
      errorCode: null,
    })
    expect(await codeOf(server.tasks.heartbeat(id, 'a'))).toBe('ILLEGAL_TRANSITION')
    expect(await codeOf(server.tasks.success(id, { agentId: 'a' }, ops))).toBe('ILLEGAL_TRANSITION')
    expect((await claim('b'))?.id).toBe(id)
    await expect(server.tasks.heartbeat(id, 'a')).rejects.toThrow('by agent b')
  })

  test('a run whose claim was answered too late has its task all the same', async () => {
    const { id } = await add()
    await claim('a')
    await watchFor(60)
    expect(await claim('a')).toMatchObject({ id, status: 'PROCESSING', errorCode: null })
  })

  test('a run that goes on half a minute after its timeout is ended', async () => {
    const { id } = await add({ timeoutSeconds: 100 })
    await claim('a')
    const living = async (at: number) => at % 10 === 0 && server.tasks.heartbeat(id, 'a')
    await watchFor(125, living)
    expect((await server.tasks.get(id)).status).toBe('PROCESSING')
    await watchFor(15)
    expect(await server.tasks.get(id)).toMatchObject({ status: 'FAILED', errorCode: 'TIMEOUT' })
    expect(await codeOf(server.tasks.heartbeat(id, 'a'))).toBe('ILLEGAL_TRANSITION')
    expect(servers.flatMap(({ ended }) => ended.splice(0))).toContain('timeout')
  })

  test('a sign of life changes nothing where the run has yet to begin, or has ended by itself', async () => {
    for (const end of ['success', 'fail'] as const) {
      const { id } = await add()
      expect(await server.tasks.heartbeat(id, 'a')).toMatchObject({ status: 'PENDING', agentId: null })
      await server.tasks.start(id, { agentId: 'a', heartbeat: true }, { name: 'agent:a' })
      const ended = await server.tasks[end](id, { agentId: 'a' }, { name: 'agent:a' })
      expect(await server.tasks.heartbeat(id, 'a')).toEqual(ended)
    }
  })

  test('heartbeats that come often are written seldom', async () => {
    const { id } = await add()
    const { leaseUntil } = (await claim('a'))!
    for (let second = 1; second < 9; second++) {
      pass(1)
      expect((await server.tasks.heartbeat(id, 'a')).leaseUntil).toBe(leaseUntil)
    }
    pass(1)
    expect((await server.tasks.heartbeat(id, 'a')).leaseUntil).toBe(new Date(clock() + 40_000).toISOString())
  })

  test('heartbeats of many connections are gathered, and each is answered for itself', async () => {
    const ids = (await Promise.all(Array.from({ length: 5 }, () => add()))).map(({ id }) => id)
    for (const id of ids) await server.tasks.start(id, { agentId: `of ${id}`, heartbeat: true }, ops)
    const [lost] = ids as [string]
    await server.tasks.cancel(lost, null, ops)
    pass(20)
    const beats = ids.map(id => codeOf(server.heartbeats.beat(id, `of ${id}`)))
    expect(await Promise.all(beats)).toEqual([
      'ILLEGAL_TRANSITION',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    const renewed = await store.tasks.find({
      where: { leaseUntil: new Date(clock() + 40_000).toISOString() },
    })
    expect(renewed.map(({ id }) => id).sort()).toEqual(ids.slice(1).sort())
  })
})
