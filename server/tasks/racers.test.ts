import { beforeAll, expect, test } from 'vitest'
import { uuidv7 } from '#protocol/ids.ts'
import type { Store } from '#server/store/store.ts'
import { onEachStore } from '#server/testing/each-store.ts'
import { createAutoFixes } from './auto-fix.ts'
import { createInputs } from './input.ts'
import { createObserver } from './observations.ts'
import { createTasks, type TaskChange } from './tasks.ts'

const ops = { name: 'ops' }
const RACERS = 20

/** What one server makes of the store. */
function serverOn(store: Store) {
  const changes: TaskChange[] = []
  const tasks = createTasks({
    store,
    segments: store.segments,
    logState: () => ({ state: 'complete', detail: '' }),
    deleteLogs: async () => {},
    onChange: change => changes.push(change),
    clock: Date.now,
    newId: uuidv7,
  })
  const said: string[] = []
  const say = async (...words: unknown[]) => void said.push(words.join(' '))
  return {
    changes,
    said,
    tasks,
    autoFixes: createAutoFixes({
      tasks,
      sessions: store.sessions,
      lastLines: async () => [],
      say,
      clock: Date.now,
    }),
    observe: createObserver({ tasks, say }),
    inputs: createInputs({ tasks, inputs: store.inputs, onInput: () => {}, clock: Date.now, newId: uuidv7 }),
  }
}

await onEachStore(shared => {
  let servers: ReturnType<typeof serverOn>[]
  let store: Store
  beforeAll(async () => {
    store = await shared().open()
    servers = await Promise.all(Array.from({ length: 3 }, async () => serverOn(await shared().open())))
    await store.sessions.insert({
      id: 's',
      name: 's',
      description: null,
      status: 'ACTIVE',
      workspaceId: null,
      template: { autoFixCommand: 'fix' },
      tags: [],
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    })
  })
  const race = <T>(run: (server: ReturnType<typeof serverOn>, racer: number) => Promise<T>) =>
    Promise.all(Array.from({ length: RACERS }, (_, racer) => run(servers[racer % servers.length]!, racer)))

  test('of twenty reports of one failure on three servers, one makes a task, and all name it', async () => {
    const [{ tasks }] = servers as [ReturnType<typeof serverOn>]
    await tasks.create({ id: 'broken', sessionId: 's', priority: 3, maxAttempts: 1 }, ops)
    await tasks.start('broken', { agentId: 'a/1' }, ops)
    const failed = await tasks.fail('broken', { agentId: 'a/1', exitCode: 2 }, ops)
    const outcomes = await race(server => server.autoFixes.afterFailure(failed, ops))
    expect(new Set(outcomes.map(({ taskId }) => taskId)).size).toBe(1)
    const made = await store.tasks.find({ where: { autoFixOf: 'broken' } })
    expect(made).toMatchObject([{ id: outcomes[0]!.taskId, status: 'PENDING', priority: 4 }])
    const created = servers.flatMap(server => server.changes).filter(({ kind }) => kind === 'created')
    expect(created.filter(({ task }) => task.autoFixOf === 'broken')).toHaveLength(1)
  })

  test('of steps and metrics that twenty report at once on three servers, none is lost', async () => {
    const [{ tasks }] = servers as [ReturnType<typeof serverOn>]
    await tasks.create({ id: 'busy', priority: 0, maxAttempts: 1 }, ops)
    const at = '2026-01-01T00:00:00Z'
    await race(async (server, racer) => {
      const step = { name: `step ${racer}`, startedAt: at, durationMs: null, status: 'RUNNING' as const }
      await server.observe('busy', { steps: [step], metrics: [{ name: 'm', value: racer, at }] })
      await server.observe('busy', { steps: [{ ...step, durationMs: 5, status: 'COMPLETED' }], metrics: [] })
    })
    const { steps, metrics } = await tasks.get('busy')
    const numbers = Array.from({ length: RACERS }, (_, racer) => racer)
    expect(new Set(steps.map(({ name, status }) => `${name} ${status}`))).toEqual(
      new Set(numbers.map(racer => `step ${racer} COMPLETED`)),
    )
    expect(metrics.map(({ value }) => value).sort((a, b) => a - b)).toEqual(numbers)
  })

  test('of inputs that twenty send while the run ends, none is left for the next run', async () => {
    const [{ tasks }] = servers as [ReturnType<typeof serverOn>]
    await tasks.start('asks', { agentId: 'a/1', interactive: true }, ops)
    const sent = race((server, racer) =>
      racer === 10
        ? tasks.cancel('asks', null, ops).then(() => 'ended')
        : server.inputs.send('asks', input(racer), ops).catch(error => error.code as string),
    )
    await sent
    const [cancelled] = servers[0]!.changes.filter(
      ({ task }) => task.id === 'asks' && task.status === 'CANCELLED',
    )
    await servers[0]!.inputs.onChange(cancelled!)
    expect(await store.inputs.count({ taskId: 'asks' })).toBe(0)
    await tasks.retry('asks', null, ops)
    await tasks.start('asks', { agentId: 'a/2', interactive: true }, ops)
    expect(await servers[1]!.inputs.pending('asks', 'a/2')).toEqual([])
  })

  test('inputs of one server keep their order, however close they are', async () => {
    await servers[0]!.tasks.start('typed', { agentId: 'a/1', interactive: true }, ops)
    for (let n = 0; n < RACERS; n++) await servers[0]!.inputs.send('typed', input(n), ops)
    const pending = await servers[1]!.inputs.pending('typed', 'a/1')
    expect(pending.map(({ text }) => text)).toEqual(Array.from({ length: RACERS }, (_, n) => `${n}\n`))
    const first = pending[0]!.id
    await Promise.all(servers.map(server => server.inputs.taken('typed', 'a/1', first, Date.now())))
    expect(await servers[2]!.inputs.pending('typed', 'a/1')).toHaveLength(RACERS - 1)
  })
})

const input = (n: number) => ({ text: String(n), newline: true, eof: false, secret: false })
