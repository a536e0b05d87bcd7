import { afterAll, expect, test } from 'vitest'
import type { Role } from '#protocol/auth.ts'
import { ROLES } from '#protocol/auth.ts'
import { openApi } from './test-api.ts'

/** Each call, made to a running task `t` of session `s`, and the least role that may make it. */
const CALLS: [method: string, path: string, body: unknown, least: Role][] = [
  ['GET', 'tasks', undefined, 'viewer'],
  ['GET', 'tasks/t', undefined, 'viewer'],
  ['GET', 'tasks/t/logs', undefined, 'viewer'],
  ['GET', 'tasks/t/logs/stats', undefined, 'viewer'],
  ['GET', 'tasks/t/logs/export', undefined, 'viewer'],
  ['GET', 'tasks/t/logs/stream', undefined, 'viewer'],
  ['GET', 'logs/search', undefined, 'viewer'],
  ['GET', 'tasks/t/script', undefined, 'viewer'],
  ['GET', 'sessions', undefined, 'viewer'],
  ['GET', 'sessions/s', undefined, 'viewer'],
  ['GET', 'sessions/s/tasks', undefined, 'viewer'],
  ['GET', 'me', undefined, 'viewer'],
  ['POST', 'tasks/t/logs', { message: 'x' }, 'agent'],
  ['POST', 'tasks/t/start', { agentId: 'a' }, 'agent'],
  ['POST', 'tasks/t/progress', { progress: 1 }, 'agent'],
  ['POST', 'tasks/t/success', {}, 'agent'],
  ['POST', 'tasks/t/fail', {}, 'agent'],
  ['POST', 'sessions/s/tasks/claim', { agentId: 'b' }, 'agent'],
  ['POST', 'tasks/t/heartbeat', { agentId: 'a' }, 'agent'],
  ['POST', 'tasks/t/release', { agentId: 'a' }, 'agent'],
  ['POST', 'tasks/t/waiting', { prompt: null }, 'agent'],
  ['POST', 'tasks/t/observations', {}, 'agent'],
  ['GET', 'tasks/t/artifacts', undefined, 'viewer'],
  ['POST', 'tasks/t/input', { text: 'x' }, 'operator'],
  ['POST', 'tasks/t/cancel', {}, 'operator'],
  ['PATCH', 'tasks/t', {}, 'operator'],
  ['POST', 'tasks', {}, 'operator'],
  ['POST', 'sessions', { name: 'x' }, 'operator'],
  ['PATCH', 'sessions/s', {}, 'operator'],
  ['POST', 'sessions/s/tasks', {}, 'operator'],
  ['DELETE', 'tasks/t/logs', undefined, 'admin'],
  ['DELETE', 'tasks/idle', undefined, 'admin'],
  ['DELETE', 'sessions/empty', undefined, 'admin'],
  ['GET', 'api-keys', undefined, 'admin'],
  ['POST', 'api-keys', { name: 'k', role: 'viewer' }, 'admin'],
]

async function withTask(onEnd?: typeof afterAll) {
  const api = await openApi(onEnd)
  await api.call('POST', 'sessions', { body: { id: 's', name: 'S' } })
  await api.call('POST', 'sessions', { body: { id: 'empty', name: 'E' } })
  await api.call('POST', 'tasks', { body: { id: 'idle' } })
  await api.call('POST', 'sessions/s/tasks', { body: { id: 't', script: 'make' } })
  await api.call('POST', 'tasks/t/start', { body: { agentId: 'a' } })
  return api
}

const shared = await withTask(afterAll)
const keys = Object.fromEntries(
  await Promise.all(ROLES.map(async role => [role, await shared.keyOf(role)])),
) as Record<Role, string>

test.each(CALLS)('%s %s (%j) needs the role %s', async (method, path, body, least) => {
  const { call } = shared
  // Of its own, as a call that succeeds may end it.
  const id = `${method}-${path.replaceAll('/', '-')}`
  await call('POST', 'sessions/s/tasks', { body: { id, script: 'make' } })
  await call('POST', `tasks/${id}/start`, { body: { agentId: 'a', interactive: true } })
  const own = path.replace(/^tasks\/t\b/, `tasks/${id}`)
  expect((await call(method, own, { body, key: null })).status).toBe(401)
  for (const role of ROLES) {
    const { status } = await call(method, own, { body, key: keys[role] })
    const may = ROLES.indexOf(role) >= ROLES.indexOf(least)
    expect([role, status < 300]).toEqual([role, may])
    if (may) break
    expect(status).toBe(403)
  }
})

test('values of variables are read by those who may run tasks, their names by all', async () => {
  const { call, keyOf } = await openApi()
  const env = { STAGE: 'production-password' }
  await call('POST', 'sessions', { body: { id: 'v', name: 'V', template: { env } } })
  await call('POST', 'sessions/v/tasks', { body: { id: 'w', env } })
  for (const path of ['tasks/w', 'sessions/v', 'sessions', 'tasks', 'sessions/v/tasks']) {
    expect((await call('GET', path, { key: await keyOf('viewer') })).text, path).not.toContain('production')
    const { text } = await call('GET', path, { key: await keyOf('agent') })
    if (path !== 'tasks') expect(text, path).toContain('production-password')
  }
  const { body } = await call('GET', 'tasks/w', { key: await keyOf('viewer') })
  expect(body.env).toEqual({ STAGE: '***' })
})

test('every operation of the document but login and logout asks who is calling', async () => {
  const { call } = await openApi()
  const document = JSON.parse((await call('GET', '/api/openapi.json')).text)
  for (const [path, operations] of Object.entries<object>(document.paths)) {
    if (/\/log(in|out)$/.test(path)) continue
    for (const method of Object.keys(operations)) {
      const { status } = await call(method.toUpperCase(), path.replaceAll(/{\w+}/g, 'x'), { key: null })
      expect([method, path, status]).toEqual([method, path, 401])
    }
  }
})

test('a key that is limited to sessions sees and touches their tasks alone', async () => {
  const { call, keyOf } = await withTask()
  await call('POST', 'sessions', { body: { id: 'mine', name: 'M' } })
  await call('POST', 'sessions/mine/tasks', { body: { id: 'own' } })
  for (const task of ['own', 't', 'idle'])
    await call('POST', `tasks/${task}/logs`, { body: { message: 'needle' } })
  const key = await keyOf('admin', ['mine'])
  const ids = async (path: string) => (await call('GET', path, { key })).body.content.map(({ id }) => id)
  expect(await ids('tasks')).toEqual(['own'])
  expect(await ids('tasks?sessionId=s')).toEqual([])
  expect(await ids('sessions')).toEqual(['mine'])
  expect(await ids('logs/search?search=needle')).toEqual(['own:1'])
  expect(await ids('logs/search?search=needle&taskId=t')).toEqual([])
  expect(await ids('logs/search?search=needle&sessionId=s')).toEqual([])
  for (const path of [
    'tasks/t',
    'tasks/idle',
    'tasks/none',
    'tasks/t/logs',
    'sessions/s',
    'sessions/s/tasks',
  ])
    expect([path, (await call('GET', path, { key })).status]).toEqual([path, 403])
  expect((await call('DELETE', 'tasks/t', { key })).status).toBe(403)
  expect((await call('POST', 'tasks', { key, body: {} })).status).toBe(403)
  expect((await call('POST', 'tasks', { key, body: { sessionId: 'mine' } })).status).toBe(201)
  expect((await call('POST', 'api-keys', { key, body: { name: 'k', role: 'admin' } })).status).toBe(403)
})

test('what an agent of one session writes to an unknown task is kept in that session', async () => {
  const { call, keyOf } = await withTask()
  const key = await keyOf('agent', ['s'])
  expect((await call('POST', 'tasks/new/logs', { key, body: { message: 'x' } })).status).toBe(200)
  expect((await call('GET', 'tasks/new', { key })).body).toMatchObject({ sessionId: 's' })
  expect((await call('POST', 'tasks/begun/start', { key })).body).toMatchObject({ sessionId: 's' })
  expect((await call('POST', 'tasks/idle/logs', { key, body: { message: 'x' } })).status).toBe(403)
})

test('a token of one task begins it anew where it is gone, but in no queue', async () => {
  const { call } = await withTask()
  const { token: key } = (await call('POST', 'tasks/t/start', { body: { agentId: 'a' } })).body
  await call('POST', 'tasks/t/success')
  expect((await call('DELETE', 'tasks/t')).status).toBe(204)
  const body = { agentId: 'a', sessionId: 's', script: 'echo taken over' }
  const again = await call('POST', 'tasks/t/start', { key, body })
  expect(again).toMatchObject({ status: 200, body: { id: 't', sessionId: null } })
})

test('an API key is shown once, works, and ends when it is revoked', async () => {
  const { call } = await openApi()
  const made = await call('POST', 'api-keys', { body: { name: 'ci', role: 'viewer' } })
  expect(made.status).toBe(201)
  const { id, key } = made.body
  expect((await call('GET', 'me', { key })).body).toMatchObject({
    name: 'ci',
    role: 'viewer',
    version: '1.2.3',
  })
  const list = await call('GET', 'api-keys')
  expect(made.headers.get('cache-control')).toBe('no-store')
  expect(list.text).not.toContain(key)
  expect(list.text).not.toContain('hash')
  expect((await call('DELETE', `api-keys/${id}`)).status).toBe(204)
  expect((await call('GET', 'me', { key })).status).toBe(401)
  expect((await call('DELETE', 'api-keys/none')).status).toBe(404)
  const bad = await call('POST', 'api-keys', { body: { name: 'x', role: 'god', expiresAt: 'never' } })
  expect(bad.body.errors.map(({ path }) => path)).toEqual(['role', 'expiresAt'])
})

test('a login sets a cookie that is good until the logout', async () => {
  const { call, keyOf } = await openApi()
  const login = await call('POST', 'login', { key: null, body: { key: await keyOf('operator') } })
  expect(login).toMatchObject({ status: 200, body: { role: 'operator', authRequired: true } })
  const cookie = login.headers.get('set-cookie')!
  expect(cookie).toMatch(/HttpOnly.*SameSite=Lax/)
  const headers = { cookie: cookie.split(';')[0]! }
  expect((await call('GET', 'me', { key: null, headers })).status).toBe(200)
  const foreign = { ...headers, origin: 'https://evil.example', host: 'localhost' }
  const forged = await call('POST', 'tasks', { key: null, headers: foreign, body: {} })
  expect(forged).toMatchObject({ status: 403, body: { code: 'FOREIGN_ORIGIN' } })
  const logout = await call('POST', 'logout', { key: null, headers })
  expect(logout.status).toBe(204)
  expect(logout.headers.get('set-cookie')).toMatch(/Max-Age=0/)
  expect((await call('POST', 'login', { key: null, body: { key: 'wrong' } })).status).toBe(401)
  expect((await call('POST', 'login', { key: null, body: {} })).body.errors[0]!.path).toBe('key')
})
