import { afterAll, expect, test } from 'vitest'
import { openApi } from './test-api.ts'

/** For what is refused, and so leaves nothing behind. */
const shared = await openApi(afterAll)
await shared.call('POST', 'sessions', { body: { id: 's1', name: 'S' } })

test('a session is created, read, changed and listed with the counts of its tasks', async () => {
  const { call } = await openApi()
  const created = await call('POST', 'sessions', { body: { id: 's1', name: 'Nightly', tags: ['ci'] } })
  expect(created).toMatchObject({
    status: 201,
    body: { id: 's1', status: 'ACTIVE', tags: ['ci'], taskCounts: { PENDING: 0 } },
  })
  for (const id of ['a', 'b', 'c']) await call('POST', 'sessions/s1/tasks', { body: { id } })
  await call('POST', 'tasks/b/start')
  await call('POST', 'tasks/c/cancel')
  const read = await call('GET', 'sessions/s1')
  expect(read.body).toMatchObject({
    taskCounts: { PENDING: 1, PROCESSING: 1, COMPLETED: 0, FAILED: 0, CANCELLED: 1 },
  })
  const patch = {
    description: 'every night',
    workspaceId: 'w1',
    template: { repository: { url: 'https://x/y.git', ref: 'main' } },
  }
  expect((await call('PATCH', 'sessions/s1', { body: patch })).body).toMatchObject({
    name: 'Nightly',
    ...patch,
  })
  await call('POST', 'sessions', { body: { name: 'Other' } })
  expect((await call('GET', 'sessions')).body.totalElements).toBe(2)
  expect((await call('GET', 'sessions?search=night')).body.content.map(({ id }) => id)).toEqual(['s1'])
  expect((await call('GET', 'sessions?workspaceId=w1')).body.content.map(({ id }) => id)).toEqual(['s1'])
  expect((await call('GET', 'sessions?status=ARCHIVED')).body.content).toEqual([])
})

test("a session's tasks come in the order of the queue: by priority, then by age", async () => {
  const { call, clock } = await openApi()
  await call('POST', 'sessions', { body: { id: 's1', name: 'S' } })
  for (const [id, priority] of [
    ['old', 0],
    ['urgent', 5],
    ['young', 0],
  ] as const) {
    clock.now += 1000
    const { body } = await call('POST', 'sessions/s1/tasks', { body: { id, priority } })
    expect(body).toMatchObject({ sessionId: 's1', status: 'PENDING' })
  }
  await call('POST', 'tasks', { body: { id: 'elsewhere' } })
  const ids = async (query: string) =>
    (await call('GET', `sessions/s1/tasks${query}`)).body.content.map(({ id }) => id)
  expect(await ids('?status=PENDING')).toEqual(['urgent', 'old', 'young'])
  expect(await ids('?sort=createdAt:desc')).toEqual(['young', 'urgent', 'old'])
  await call('POST', 'tasks/urgent/start')
  expect(await ids('?status=PENDING')).toEqual(['old', 'young'])
})

test.each([
  ['url', '--upload-pack=touch /tmp/x', 'must not begin with "-"'],
  ['url', 'ext::sh -c true', 'must not name a helper'],
  ['url', 'https://x/y\n.git', 'must not hold control characters'],
  ['url', 'https://me:secret@x/y.git', 'a git credential helper'],
  ['url', 'HTTPS://:secret@x/y.git', 'must not hold a password'],
  ['url', ' https://x/y.git', 'must not begin or end with a space'],
  ['ref', '--exec=true', 'must not begin with "-"'],
  ['ref', '+refs/heads/*:refs/heads/*', 'must not begin with "-" or "+"'],
  ['ref', 'a..b', 'must be a branch, a tag or a commit'],
  ['ref', 'a b', 'must be a branch, a tag or a commit'],
])('a repository whose %s is %j is refused', async (field, value, message) => {
  const repository = { url: 'https://x/y.git', [field]: value }
  const { status, body } = await shared.call('PATCH', 'sessions/s1', { body: { template: { repository } } })
  expect(status).toBe(400)
  expect(body.errors[0]).toEqual({
    path: `template.repository.${field}`,
    message: expect.stringContaining(message),
  })
})

test.each([
  ['git@host.example:team/repo.git', 'feature/c++_2'],
  ['https://me@host:8443/team:one/repo.git', 'main'],
  ['ssh://git@host:2222/repo.git', 'v1.0-rc.1'],
  ['file:///srv/repo.git', '0a1b2c3d'],
  ['/srv/my repos/one', 'refs/pull/7/head'],
])('a repository at %s with the ref %s is kept', async (url, ref) => {
  const template = { repository: { url, ref } }
  const { body } = await shared.call('PATCH', 'sessions/s1', { body: { template } })
  expect(body).toMatchObject({ template })
})

test('a session is deleted with its tasks and their logs, but not while one runs', async () => {
  const { call } = await openApi()
  await call('POST', 'sessions', { body: { id: 's1', name: 'S' } })
  await call('POST', 'sessions/s1/tasks', { body: { id: 't' } })
  await call('POST', 'tasks/t/logs', { body: { message: 'x' } })
  await call('POST', 'tasks/t/start')
  expect((await call('DELETE', 'sessions/s1')).status).toBe(409)
  await call('POST', 'tasks/t/success')
  expect((await call('DELETE', 'sessions/s1')).status).toBe(204)
  expect((await call('GET', 'tasks/t')).status).toBe(404)
  expect((await call('GET', 'sessions/s1')).status).toBe(404)
})

test('an archived session takes no new tasks', async () => {
  const { call } = await openApi()
  await call('POST', 'sessions', { body: { id: 's1', name: 'S' } })
  await call('PATCH', 'sessions/s1', { body: { status: 'ARCHIVED' } })
  const answer = await call('POST', 'sessions/s1/tasks', { body: {} })
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('archived') } })
})

test.each([
  ['POST', 'sessions', {}, 400, 'name'],
  ['POST', 'sessions', { name: 'x', tags: 'ci' }, 400, 'tags'],
  ['POST', 'sessions', { name: 'x', template: { repository: {} } }, 400, 'template.repository.url'],
  ['POST', 'sessions', { name: 'x', id: '../x' }, 400, 'id'],
  ['PATCH', 'sessions/s1', { status: 'DONE' }, 400, 'status'],
  ['POST', 'sessions/s1/tasks', { sessionId: 's2' }, 400, 'sessionId'],
  ['GET', 'sessions?status=OPEN', undefined, 400, 'status.0'],
  ['GET', 'sessions/none', undefined, 404, undefined],
  ['GET', 'sessions/none/tasks', undefined, 404, undefined],
  ['PATCH', 'sessions/none', { name: 'x' }, 404, undefined],
  ['DELETE', 'sessions/none', undefined, 404, undefined],
  ['POST', 'sessions/none/tasks', {}, 404, undefined],
  ['POST', 'sessions', { id: 's1', name: 'again' }, 409, 'id'],
] as const)('%s %s with %j is %i', async (method, path, body, status, wrong) => {
  const answer = await shared.call(method, path, { body })
  expect(answer.status).toBe(status)
  expect(answer.body.errors?.[0]?.path).toBe(wrong)
})
