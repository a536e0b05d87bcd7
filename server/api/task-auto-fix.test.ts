import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Task } from '#protocol/task.ts'
import type { AutoFixContext } from '#protocol/task-calls.ts'
import { openApi } from './test-api.ts'

const api = await openApi(afterAll)
const { call, store } = api

let session = ''
let taskId = ''
let count = 0
beforeEach(async () => {
  session = `s${++count}`
  taskId = `t${count}`
  await call('POST', 'sessions', {
    body: { id: session, name: 'Nightly', template: { autoFixCommand: 'make fix' } },
  })
})

const create = (body: object = {}) =>
  call('POST', 'tasks', { body: { id: taskId, name: 'Build', sessionId: session, ...body } })
const start = (id = taskId) => call('POST', `tasks/${id}/start`, { body: { agentId: 'a/1' } })
const fail = (id = taskId, body: object = {}) =>
  call('POST', `tasks/${id}/fail`, { body: { agentId: 'a/1', autoFix: true, ...body } })
const request = (body: object = {}, key?: string) => call('POST', `tasks/${taskId}/auto-fix`, { body, key })
const context = async (id: string) => {
  const answer = await call('GET', `tasks/${id}/auto-fix`)
  return { ...answer, body: answer.body as unknown as AutoFixContext & { detail?: string } }
}
const outcomeOf = (answer: { body: unknown }) =>
  (answer.body as { autoFix?: { taskId: string | null; reason: string | null } }).autoFix
const fixesOf = (id: string): Promise<Task[]> => store.tasks.find({ where: { autoFixOf: id } })
async function failed(body: object = {}) {
  await create(body)
  await start()
  return outcomeOf(await fail())!
}

test('a failure that is to be mended makes the task that runs next, with the environment of the failed one', async () => {
  const outcome = await failed({ priority: 5, env: { STAGE: 'test' }, script: 'make' })
  expect(outcome.reason).toBeNull()
  const { body } = await call('GET', `tasks/${outcome.taskId}`)
  expect(body).toMatchObject({
    name: 'Auto-fix: Build',
    sessionId: session,
    status: 'PENDING',
    script: 'make fix',
    env: { STAGE: 'test' },
    priority: 6,
    autoFixOf: taskId,
    autoFixChain: [taskId],
  })
})

test('a failure that is reported again, or asked for by hand, has one task', async () => {
  const { taskId: fix } = await failed()
  expect((await fail()).status).toBe(409)
  expect(await request()).toMatchObject({ status: 200, body: { id: fix } })
  expect(await request({ command: 'other' })).toMatchObject({
    status: 200,
    body: { id: fix, script: 'make fix' },
  })
  expect(await fixesOf(taskId)).toHaveLength(1)
  const { body } = await call('GET', `tasks/${taskId}/logs`)
  expect(body.content.map(({ source, level, message }) => [source, level, message])).toEqual([
    ['agent', 'INFO', `auto-fix task ${fix} was queued`],
  ])
})

test('a failure whose report was answered by nobody is mended when it is reported again', async () => {
  await create()
  await start()
  await api.tasks.fail(taskId, { agentId: 'a/1' }, { name: 'a' })
  expect((await fail(taskId, { agentId: 'a/0' })).status).toBe(409)
  expect(await fixesOf(taskId)).toHaveLength(0)
  expect((await fail()).status).toBe(409)
  expect(await fixesOf(taskId)).toHaveLength(1)
})

test('the next failure of a task that was run again has a task of its own', async () => {
  const first = await failed()
  await call('POST', `tasks/${taskId}/retry`)
  await start()
  const second = outcomeOf(await fail())!
  expect(second.taskId).not.toBe(first.taskId)
  expect(await fixesOf(taskId)).toHaveLength(2)
})

test('while attempts are left there is nothing to mend, and the answer says so', async () => {
  await create({ maxAttempts: 2 })
  await start()
  expect(outcomeOf(await fail())).toEqual({ taskId: null, reason: 'attempt 2 of 2 follows' })
  await start()
  expect(outcomeOf(await fail())?.taskId).toBeTypeOf('string')
})

test('a failure, its fix, the fix of that: where the chain ends, the log of the last one says so once', async () => {
  const { taskId: first } = await failed()
  await start(first!)
  const { taskId: second } = outcomeOf(await fail(first!))!
  expect((await call('GET', `tasks/${second}`)).body).toMatchObject({
    name: 'Auto-fix: Build',
    autoFixChain: [taskId, first],
  })
  await start(second!)
  const third = outcomeOf(await fail(second!))!
  expect(third).toEqual({ taskId: null, reason: expect.stringContaining('chain of 3, which is the limit') })
  await fail(second!)
  const { body } = await call('GET', `tasks/${second}/logs`)
  expect(body.content.map(({ source, message }) => [source, message])).toEqual([['agent', third.reason]])
  expect((await call('GET', `tasks/${second}`)).body.logState.state).toBe('complete')
})

test.each([
  ['a task without a session', { sessionId: null }, 'belongs to no session'],
  ['a session without a command', { template: null }, 'has no autoFixCommand'],
  ['a session that is over', { status: 'COMPLETED' }, 'is COMPLETED: no agent would run'],
])(
  '%s gets no task, and the answer says why',
  async (_, { sessionId, ...patch }: Record<string, unknown>, why) => {
    await create(sessionId === undefined ? {} : { sessionId })
    await call('PATCH', `sessions/${session}`, { body: patch })
    await start()
    expect(outcomeOf(await fail())).toEqual({ taskId: null, reason: expect.stringContaining(why) })
    expect(await request()).toMatchObject({ status: 409, body: { detail: expect.stringContaining(why) } })
    expect(await fixesOf(taskId)).toEqual([])
    expect((await call('GET', `tasks/${taskId}/logs`)).body.totalElements).toBe(0)
  },
)

test('what was cancelled, succeeded or runs is no failure', async () => {
  await create()
  expect((await request()).body.detail).toContain('is PENDING; only a FAILED one')
  await start()
  await call('POST', `tasks/${taskId}/cancel`)
  expect((await fail()).status).toBe(409)
  expect((await request()).body.detail).toContain('was cancelled')
  expect(await fixesOf(taskId)).toEqual([])
})

test('a failure that nobody wants mended is left alone', async () => {
  await create()
  await start()
  expect(outcomeOf(await fail(taskId, { autoFix: undefined }))).toBeUndefined()
  expect(await fixesOf(taskId)).toEqual([])
})

test('a command of its own needs an operator, and works without one in the template', async () => {
  await create()
  await call('PATCH', `sessions/${session}`, { body: { template: null } })
  await start()
  await fail(taskId, { autoFix: false })
  const agent = await api.keyOf('agent')
  expect((await request({ command: 'rm -rf x' }, agent)).status).toBe(403)
  const made = await request({ command: './repair' }, await api.keyOf('operator'))
  expect(made).toMatchObject({ status: 201, body: { script: './repair', autoFixOf: taskId } })
  expect(made.body.statusHistory).toMatchObject([{ by: 'the operator', message: `to mend ${taskId}` }])
})

test('the task that mends knows the script, the error and the last 200 lines of what failed', async () => {
  await create({ script: 'make all' })
  await start()
  const entries = Array.from({ length: 350 }, (_, n) => ({ source: 'stdout', message: `line ${n}` }))
  await call('POST', `tasks/${taskId}/logs`, { body: { entries } })
  const end = { message: 'no rule', errorCode: 'EXIT_2', exitCode: 2 }
  const fix = outcomeOf(await fail(taskId, end))!.taskId!
  const { body } = await context(fix)
  expect(body).toMatchObject({ taskId, name: 'Build', script: 'make all', ...end, signal: null })
  expect(body.lines).toEqual(Array.from({ length: 200 }, (_, n) => `line ${150 + n}`))
  const own = await call('GET', `tasks/${fix}/auto-fix`, { key: await api.auth.issueTaskToken(fix) })
  expect(own.status).toBe(200)
})

test('lines and errors of other runs are not taken for those of the failed one', async () => {
  const print = (message: string) =>
    call('POST', `tasks/${taskId}/logs`, {
      body: { message, timestamp: new Date(api.clock.now).toISOString() },
    })
  await create()
  const fixes: string[] = []
  for (const run of ['first', 'second', 'third']) {
    api.clock.now += 1000
    await start()
    api.clock.now += 1000
    await print(run)
    api.clock.now += 1000
    fixes.push(outcomeOf(await fail(taskId, { message: `${run} failed`, errorCode: run }))!.taskId!)
    api.clock.now += 1000
    await call('POST', `tasks/${taskId}/retry`)
  }
  const contexts = await Promise.all(fixes.map(async id => (await context(id)).body))
  expect(contexts.map(({ lines, message }) => [message, lines])).toEqual([
    ['first failed', ['first']],
    ['second failed', ['second']],
    ['third failed', ['third']],
  ])
})

test('a task that mends none, or whose failed one is gone, has no context, and says why', async () => {
  const { taskId: fix } = await failed()
  expect(await context(taskId)).toMatchObject({
    status: 404,
    body: { detail: `task ${taskId} is no auto-fix task: it mends no other` },
  })
  await call('DELETE', `tasks/${taskId}`)
  expect((await context(fix!)).body.detail).toContain(`${taskId}, which ${fix} is to mend, was deleted`)
})
