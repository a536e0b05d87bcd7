import { afterAll, expect, test } from 'vitest'
import { openApi } from './test-api.ts'

/** For what is refused, and so leaves nothing behind but the running task `t`. */
const shared = await openApi(afterAll)
await shared.call('POST', 'tasks/t/start')

test('a task lives from its creation to its end', async () => {
  const { call, clock, changes } = await openApi()
  const created = await call('POST', 'tasks', {
    body: { id: 'build', name: 'Build', script: 'make', priority: 3 },
  })
  expect(created).toMatchObject({
    status: 201,
    body: { id: 'build', status: 'PENDING', attempt: 1, logs: { total: 0, lastSeq: 0 } },
  })
  const started = await call('POST', 'tasks/build/start', { body: { agentId: 'a1' } })
  expect(started).toMatchObject({ status: 200, body: { status: 'PROCESSING', agentId: 'a1' } })
  const progress = await call('POST', 'tasks/build/progress', { body: { progress: 40, message: 'linking' } })
  expect(progress.body).toMatchObject({ progress: 40, progressMessage: 'linking' })
  clock.now += 2500
  const done = await call('POST', 'tasks/build/success', { body: { message: 'ok', exitCode: 0 } })
  expect(done.body).toMatchObject({ status: 'COMPLETED', durationMs: 2500, message: 'ok', progress: 100 })
  expect(done.body.statusHistory.map(({ status, by }) => `${status} ${by}`)).toEqual([
    'PENDING the admin',
    'PROCESSING agent:a1',
    'COMPLETED agent:a1',
  ])
  expect(changes.map(({ kind, task, before }) => [kind, before?.status, task.status])).toEqual([
    ['created', undefined, 'PENDING'],
    ['updated', 'PENDING', 'PROCESSING'],
    ['updated', 'PROCESSING', 'PROCESSING'],
    ['updated', 'PROCESSING', 'COMPLETED'],
  ])
})

test("the start's token is good for that task alone, also after its end", async () => {
  const { call } = await openApi()
  const { token } = (await call('POST', 'tasks/mine/start', { body: { agentId: 'a' } })).body
  await call('POST', 'tasks/other/start', { body: { agentId: 'a' } })
  await call('POST', 'tasks/mine/cancel')
  expect((await call('POST', 'tasks/mine/logs', { key: token, body: { message: 'late' } })).status).toBe(200)
  expect((await call('GET', 'tasks/mine', { key: token })).status).toBe(200)
  expect((await call('POST', 'tasks/other/success', { key: token })).status).toBe(403)
  expect((await call('POST', 'tasks/other/logs', { key: token, body: { message: 'x' } })).status).toBe(403)
  expect((await call('GET', 'tasks/other/logs', { key: token })).status).toBe(403)
  expect((await call('POST', 'tasks/mine/retry', { key: token })).status).toBe(403)
  expect((await call('GET', 'tasks', { key: token })).body.content).toEqual([])
})

test('a start creates an unknown task; the same agent may repeat it, another may not', async () => {
  const { call, changes } = await openApi()
  const first = await call('POST', 'tasks/new/start', { body: { agentId: 'a', name: 'New', script: 'make' } })
  expect(first.body).toMatchObject({ id: 'new', name: 'New', script: 'make', status: 'PROCESSING' })
  const told = changes.length
  expect((await call('POST', 'tasks/new/start', { body: { agentId: 'a' } })).status).toBe(200)
  expect(changes).toHaveLength(told)
  const other = await call('POST', 'tasks/new/start', { body: { agentId: 'b' } })
  expect(other).toMatchObject({ status: 409, body: { code: 'ILLEGAL_TRANSITION' } })
  expect(other.body.detail).toContain('PROCESSING by agent a')
  expect((await call('POST', 'tasks/new/start')).status).toBe(409)
})

const LEGAL: Record<string, string[]> = {
  PENDING: ['start', 'cancel'],
  PROCESSING: ['success', 'fail', 'cancel', 'progress'],
  COMPLETED: [],
  FAILED: ['retry'],
  CANCELLED: ['retry'],
}
const WAY: Record<string, string[]> = {
  PENDING: [],
  PROCESSING: ['start'],
  COMPLETED: ['start', 'success'],
  FAILED: ['start', 'fail'],
  CANCELLED: ['cancel'],
}

test.each(Object.keys(LEGAL))(
  'what a %s task does not allow is 409, says what it does, and changes nothing',
  async from => {
    const { call } = await openApi()
    for (const name of ['start', 'success', 'fail', 'cancel', 'retry', 'progress']) {
      const id = `${from}-${name}`
      await call('POST', 'tasks', { body: { id } })
      for (const step of WAY[from]!) await call('POST', `tasks/${id}/${step}`)
      const before = await call('GET', `tasks/${id}`)
      expect(before.body.status).toBe(from)
      const answer = await call('POST', `tasks/${id}/${name}`, {
        body: name === 'progress' ? { progress: 1 } : {},
      })
      const legal = LEGAL[from]!.includes(name)
      expect([name, answer.status]).toEqual([name, legal ? 200 : 409])
      if (legal) continue
      expect(answer.body.code).toBe('ILLEGAL_TRANSITION')
      expect(answer.body.detail).toContain(from)
      expect((await call('GET', `tasks/${id}`)).body).toEqual(before.body)
    }
  },
)

test.each([
  ['start', 'start', 'PROCESSING'],
  ['success', 'fail', ''],
  ['success', 'cancel', ''],
])('of twenty callers of %s and %s at once, one wins', async (one, other, end) => {
  const { call } = await openApi()
  await call('POST', 'tasks', { body: { id: 't' } })
  if (one !== 'start') await call('POST', 'tasks/t/start', { body: { agentId: 'a' } })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const name = index % 2 === 0 ? one : other
      return call('POST', `tasks/t/${name}`, { body: name === 'start' ? { agentId: `a${index}` } : {} })
    }),
  )
  const won = answers.filter(answer => answer.status === 200)
  expect(won).toHaveLength(1)
  expect(answers.filter(answer => answer.status === 409)).toHaveLength(19)
  const { body } = await call('GET', 'tasks/t')
  expect(body.status).toBe(end || won[0]!.body.status)
  expect(body.statusHistory).toHaveLength(one === 'start' ? 2 : 3)
})

test('a retry makes the next attempt and keeps history and log', async () => {
  const { call } = await openApi()
  await call('POST', 'tasks/t/start', { body: { agentId: 'a' } })
  await call('POST', 'tasks/t/logs', { body: { message: 'first' } })
  const failed = await call('POST', 'tasks/t/fail', { body: { errorCode: 'E', exitCode: 2, signal: null } })
  expect(failed.body).toMatchObject({ status: 'FAILED', errorCode: 'E', exitCode: 2 })
  const again = await call('POST', 'tasks/t/retry', { body: { message: 'flaky' } })
  expect(again.body).toMatchObject({
    status: 'PENDING',
    attempt: 2,
    errorCode: null,
    exitCode: null,
    startedAt: null,
    logs: { total: 1 },
  })
  expect(again.body.statusHistory.at(-1)).toMatchObject({
    status: 'PENDING',
    by: 'the admin',
    message: 'flaky',
  })
})

test("a late agent's times are kept, and never later than now", async () => {
  const { call, clock } = await openApi()
  const iso = (ms: number) => new Date(clock.now + ms).toISOString()
  const start = await call('POST', 'tasks/t/start', { body: { agentId: 'a', at: iso(-60_000) } })
  expect(start.body).toMatchObject({ createdAt: iso(-60_000), startedAt: iso(-60_000) })
  const end = await call('POST', 'tasks/t/success', { body: { at: iso(-10_000) } })
  expect(end.body).toMatchObject({ finishedAt: iso(-10_000), durationMs: 50_000 })
  await call('POST', 'tasks/u/start', { body: { agentId: 'a', at: iso(3_600_000) } })
  expect((await call('GET', 'tasks/u')).body.startedAt).toBe(iso(0))
})

test('a patch changes what is named, and a running task keeps its script', async () => {
  const { call } = await openApi()
  await call('POST', 'tasks', { body: { id: 't', name: 'Old', script: 'make', env: { A: '1' } } })
  const patched = await call('PATCH', 'tasks/t', { body: { name: 'New', env: null } })
  expect(patched.body).toMatchObject({ name: 'New', env: null, script: 'make' })
  await call('POST', 'tasks/t/start')
  expect((await call('PATCH', 'tasks/t', { body: { priority: 9 } })).body).toMatchObject({ priority: 9 })
  expect(await call('PATCH', 'tasks/t', { body: { script: 'x' } })).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT' },
  })
  const status = await call('PATCH', 'tasks/t', { body: { status: 'COMPLETED' } })
  expect(status).toMatchObject({ status: 400, body: { errors: [{ path: 'status' }] } })
})

test('a list has what is small of each task, and says whether it has a script', async () => {
  const { call, tasks } = await openApi()
  const env = { A: 'x' }
  await call('POST', 'tasks', { body: { id: 'scripted', script: 'x'.repeat(500_000), env } })
  await call('POST', 'tasks', { body: { id: 'bare' } })
  await call('POST', 'tasks/bare/start', { body: { agentId: 'a' } })
  const metrics = Array.from({ length: 900 }, (_, value) => ({
    name: 'm',
    value,
    at: '2026-01-01T00:00:00Z',
  }))
  await call('POST', 'tasks/bare/observations', { body: { metrics } })
  await call('POST', 'tasks/bare/logs', { body: { message: 'x' } })
  const { body, text } = await call('GET', 'tasks?sort=name')
  expect(text.length).toBeLessThan(4000)
  expect(body.content.map(({ id, hasScript }) => [id, hasScript])).toEqual([
    ['bare', false],
    ['scripted', true],
  ])
  const {
    script: _,
    env: __,
    steps: ___,
    metrics: ____,
    ...whole
  } = await tasks.view(await tasks.get('bare'))
  expect(body.content[0]).toEqual({ ...whole, statusHistory: whole.statusHistory.slice(-1) })
  expect((await call('GET', 'tasks?search=bar')).body.content).toHaveLength(1)
})

test("the list of a session's tasks has what an agent needs to run them", async () => {
  const { call } = await openApi()
  await call('POST', 'sessions', { body: { id: 's', name: 'S' } })
  const needed = { script: 'make', env: { A: 'x' } }
  await call('POST', 'sessions/s/tasks', { body: { id: 't', name: 'Tests', ...needed } })
  for (const query of ['status=PENDING', 'search=Test']) {
    const { body } = await call('GET', `sessions/s/tasks?${query}`)
    expect(body.content).toEqual([expect.objectContaining({ id: 't', hasScript: true, ...needed })])
    expect(body.content[0]).not.toHaveProperty('steps')
  }
})

test('the script is read and set as text', async () => {
  const { call } = await openApi()
  await call('POST', 'tasks', { body: { id: 't' } })
  expect((await call('GET', 'tasks/t/script')).status).toBe(404)
  const text = { 'content-type': 'text/plain' }
  expect((await call('PUT', 'tasks/t/script', { body: 'echo "ü"\n', headers: text })).status).toBe(204)
  const read = await call('GET', 'tasks/t/script')
  expect(read.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(read.text).toBe('echo "ü"\n')
  const long = await call('PUT', 'tasks/t/script', { body: 'x'.repeat(1024 * 1024 + 1), headers: text })
  expect(long.status).toBe(413)
  expect((await call('PUT', 'tasks/t/script', { body: { script: 'x' } })).status).toBe(415)
})

test('a deletion takes the log along; a running task is not deleted', async () => {
  const { call, changes } = await openApi()
  await call('POST', 'tasks/t/logs', { body: { message: 'x' } })
  await call('POST', 'tasks/t/start')
  expect((await call('DELETE', 'tasks/t')).body).toMatchObject({
    code: 'CONFLICT',
    detail: expect.stringContaining('cancel'),
  })
  await call('POST', 'tasks/t/cancel')
  expect((await call('DELETE', 'tasks/t')).status).toBe(204)
  expect(changes.at(-1)).toMatchObject({ kind: 'deleted', task: { id: 't' } })
  expect((await call('GET', 'tasks/t')).status).toBe(404)
  expect((await call('DELETE', 'tasks/t')).status).toBe(404)
  const again = await call('POST', 'tasks/t/logs', { body: { message: 'new life' } })
  expect(again.body.seq).toBe(2)
  expect((await call('GET', 'tasks/t/logs')).body.totalElements).toBe(1)
})

test('a deletion that was cut short can be repeated: the log left behind goes', async () => {
  const { call, store } = await openApi()
  await call('POST', 'tasks/t/logs', { body: { message: 'x' } })
  await store.tasks.remove({ id: 't' })
  expect((await call('DELETE', 'tasks/t')).status).toBe(204)
  expect((await store.segments.totals(['t'])).get('t')?.lines ?? 0).toBe(0)
  expect((await call('DELETE', 'tasks/t')).status).toBe(404)
})

async function withTasks() {
  const api = await openApi()
  for (const [index, id] of ['alpha', 'beta', 'gamma', 'delta'].entries()) {
    api.clock.now += 60_000
    await api.call('POST', 'tasks', { body: { id, name: `Task ${index}`, priority: index % 2 } })
  }
  await api.call('POST', 'tasks/beta/start')
  await api.call('POST', 'tasks/gamma/cancel')
  const ids = async (query: string) =>
    (await api.call('GET', `tasks?${query}`)).body.content.map(task => task.id)
  return { ...api, ids }
}

test('a list is filtered, sorted and paged', async () => {
  const { call, ids } = await withTasks()
  expect(await ids('')).toEqual(['delta', 'gamma', 'beta', 'alpha'])
  expect(await ids('status=PENDING,CANCELLED')).toEqual(['delta', 'gamma', 'alpha'])
  expect(await ids('status=PENDING&status=PROCESSING&sort=createdAt:asc')).toEqual(['alpha', 'beta', 'delta'])
  expect(await ids('sort=name')).toEqual(['alpha', 'beta', 'gamma', 'delta'])
  expect(await ids('sort=name&order=desc')).toEqual(['delta', 'gamma', 'beta', 'alpha'])
  expect(await ids('from=2026-03-01T12:02:00Z&to=2026-03-01T14:04:00%2B02:00')).toEqual(['gamma', 'beta'])
  const page = await call('GET', 'tasks?page=1&size=3')
  expect(page.body).toMatchObject({ totalElements: 4, totalPages: 2, last: true, content: [{ id: 'alpha' }] })
})

test('tasks that wait for input, and those that are to mend another, can be listed alone', async () => {
  const { call, ids } = await withTasks()
  await call('POST', 'tasks/asks/start', { body: { agentId: 'a/1', interactive: true } })
  await call('POST', 'tasks/asks/waiting', { body: { prompt: 'Name? ' } })
  expect(await ids('waiting=true')).toEqual(['asks'])
  expect(await ids('waiting=false')).toEqual(['delta', 'gamma', 'beta', 'alpha'])
  await call('POST', 'sessions', {
    body: { id: 's', name: 's', template: { autoFixCommand: 'mend' } },
  })
  await call('POST', 'tasks', { body: { id: 'broken', sessionId: 's' } })
  await call('POST', 'tasks/broken/start')
  await call('POST', 'tasks/broken/fail')
  const fix = await call('POST', 'tasks/broken/auto-fix')
  expect(await ids('autoFixOf=broken')).toEqual([fix.body.id])
  expect(await ids('autoFixOf=beta')).toEqual([])
})

test('a search looks into names and ids, counts each task once, and pages', async () => {
  const { call, ids } = await withTasks()
  await call('POST', 'tasks', { body: { id: 'alphabet', name: 'alphabet' } })
  expect(await ids('search=alpha&sort=createdAt:asc')).toEqual(['alpha', 'alphabet'])
  expect(await ids('search=Task%202')).toEqual(['gamma'])
  const { body } = await call('GET', 'tasks?search=alpha&size=1&page=1&sort=createdAt:asc')
  expect(body).toMatchObject({ totalElements: 2, content: [{ id: 'alphabet' }] })
})

test.each([
  ['GET', 'tasks?status=DONE', undefined, 'status.0'],
  ['GET', 'tasks?sort=script', undefined, 'sort'],
  ['GET', 'tasks?stauts=PENDING', undefined, 'stauts'],
  ['GET', 'tasks?size=1001', undefined, 'size'],
  ['POST', 'tasks', { id: 'a/b' }, 'id'],
  ['POST', 'tasks', { name: '' }, 'name'],
  ['POST', 'tasks', { priority: 'high' }, 'priority'],
  ['POST', 'tasks', { env: { 'A B': 'x' } }, 'env.A B'],
  ['POST', 'tasks', { nmae: 'x' }, 'nmae'],
  ['POST', 'tasks', { sessionId: 'none' }, 'sessionId'],
  ['POST', 'tasks/new/start', { sessionId: 'none' }, 'sessionId'],
  ['POST', 'tasks/t/progress', { progress: 101 }, 'progress'],
  ['POST', 'tasks/t/progress', {}, 'progress'],
  ['POST', 'tasks/t/fail', { exitCode: '1' }, 'exitCode'],
  ['POST', 'tasks/t/success', { at: 'now' }, 'at'],
])('%s %s with %j is refused and names %s', async (method, path, body, wrong) => {
  const answer = await shared.call(method, path, { body })
  expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } })
  expect(answer.body.errors.map(error => error.path)).toContain(wrong)
})

test('a name that no variable can have is told as such', async () => {
  const answer = await shared.call('POST', 'tasks', { body: { env: { '1A': 'x' } } })
  expect(answer.body.errors).toEqual([
    { path: 'env.1A', message: 'is not a variable name: letters, digits and _, no digit first' },
  ])
})

test('what is not there is 404, what is taken is 409', async () => {
  const { call } = await openApi()
  for (const path of ['success', 'fail', 'cancel', 'retry'])
    expect((await call('POST', `tasks/none/${path}`)).status).toBe(404)
  expect((await call('PATCH', 'tasks/none', { body: {} })).status).toBe(404)
  await call('POST', 'tasks', { body: { id: 't' } })
  expect(await call('POST', 'tasks', { body: { id: 't' } })).toMatchObject({
    status: 409,
    body: { errors: [{ path: 'id' }] },
  })
})
