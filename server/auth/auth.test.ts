import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ApiKey } from '#protocol/auth.ts'
import { openStore } from '#server/store/open.ts'
import type { Collection, Find, Store } from '#server/store/store.ts'
import { ensureAdminKey } from './admin-key.ts'
import type { ApiKeys } from './api-keys.ts'
import { type Auth, type AuthOptions, createAuth } from './auth.ts'
import { type AuthRequest, fromFetch } from './request.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const START = Date.parse('2026-01-01T00:00:00Z')
const DAY = 86_400_000

let dir: string
let store: Store
let now: number
let auth: Auth

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keruta-auth-'))
  store = await openStore({ kind: 'sqlite', dataDir: dir })
})
afterAll(async () => {
  await store.close()
  await rm(dir, { recursive: true })
})
beforeEach(() => {
  now = START
  auth = server()
})
afterEach(() => store.apiKeys.remove({}))

/** A server on the test's store: another one, or the same after a restart. */
function server(options: Partial<AuthOptions> = {}): Auth {
  return createAuth({
    mode: 'on',
    apiKeys: store.apiKeys,
    jwtSecret: SECRET,
    allowedOrigins: [],
    now: () => now,
    ...options,
  })
}

const call = (
  headers: Record<string, string> = {},
  path = '/api/v1/tasks',
  remote = '10.0.0.1',
): AuthRequest =>
  fromFetch(
    new Request(`http://127.0.0.1:8080${path}`, { headers: { host: '127.0.0.1:8080', ...headers } }),
    remote,
  )
const bearer = (token: string) => call({ authorization: `Bearer ${token}` })
const withCookie = (setCookie: string, headers: Record<string, string> = {}) =>
  call({ cookie: `theme=dark; ${setCookie.split(';')[0]}`, ...headers })
const refused = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) })
const newKey = (keys: ApiKeys = auth.keys) =>
  keys.create({ name: 'ci', role: 'operator', sessionIds: ['s1'] })
const jwt = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET))

describe('tokens', () => {
  test('an API key is taken from either header or the query', async () => {
    const { key, id } = await newKey()
    for (const [request, via] of [
      [bearer(key), 'header'],
      [call({ 'x-api-key': key }), 'header'],
      [call({}, `/ws/tasks/1?token=${key}`), 'query'],
    ] as const) {
      expect(await auth.authenticate(request)).toEqual({
        id,
        name: 'ci',
        role: 'operator',
        sessionIds: ['s1'],
        taskId: null,
        keyId: id,
        via,
        expiresAt: null,
      })
    }
  })

  test('a JWT says itself what it may', async () => {
    const token = await jwt({ sub: 'alice', role: 'viewer', sessions: ['s1'], exp: now / 1000 + 60 })
    expect(await auth.authenticate(bearer(token))).toMatchObject({
      name: 'alice',
      role: 'viewer',
      sessionIds: ['s1'],
      keyId: null,
      expiresAt: now + 60_000,
    })
  })

  test("a task's token is an agent limited to it", async () => {
    expect(await auth.authenticate(bearer(await auth.issueTaskToken('task123')))).toMatchObject({
      role: 'agent',
      taskId: 'task123',
      expiresAt: now + 7 * DAY,
    })
  })

  test('a bad Authorization header is not made good by a cookie', async () => {
    const { key } = await newKey()
    const { cookie } = await auth.login(call(), key)
    const request = withCookie(cookie, { authorization: 'Basic YTpi' })
    await expect(auth.authenticate(request)).rejects.toEqual(refused('UNAUTHENTICATED', 'must be "Bearer"'))
  })

  test.each([
    ['nothing', {}, 'no token was sent'],
    ['an unknown key', { authorization: 'Bearer kerutakey_no' }, 'the API key is unknown'],
    ['a broken cookie', { cookie: 'keruta_session=x' }, 'neither an API key'],
  ])('%s is refused with what to do', async (_, headers, message) => {
    await expect(auth.authenticate(call(headers))).rejects.toEqual(refused('UNAUTHENTICATED', message))
  })
})

describe('API keys', () => {
  test('a key is shown once and stored as its hash', async () => {
    const { key } = await newKey()
    expect(key).toMatch(/^kerutakey_[\w-]{43}$/)
    expect(JSON.stringify(await store.apiKeys.find())).not.toContain(key)
    const listed = await auth.keys.list()
    expect(listed).toEqual([expect.objectContaining({ name: 'ci', revokedAt: null })])
    expect(listed[0]).not.toHaveProperty('hash')
  })

  test('a key that would have ended already is not made', async () => {
    const made = auth.keys.create({ name: 'old', role: 'viewer', expiresAt: '2001-01-01T00:00:00Z' })
    await expect(made).rejects.toEqual(refused('BAD_REQUEST', 'expiresAt lies in the past'))
  })

  test('a revoked key is refused at once', async () => {
    const { key, id } = await newKey()
    await auth.authenticate(bearer(key))
    await auth.keys.revoke(id)
    await expect(auth.authenticate(bearer(key))).rejects.toEqual(
      refused('UNAUTHENTICATED', 'was revoked at 2026-01-01'),
    )
  })

  test('a key that is revoked while it is being looked up is refused', async () => {
    const [found, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow: Collection<ApiKey> = Object.assign(Object.create(store.apiKeys), {
      async find(query: Find<ApiKey>) {
        const keys = await store.apiKeys.find(query)
        found.resolve()
        await answer.promise
        return keys
      },
    })
    auth = server({ apiKeys: slow })
    const { key, id } = await newKey()
    const call = auth.authenticate(bearer(key))
    await found.promise
    await auth.keys.revoke(id)
    answer.resolve()
    await expect(call).rejects.toEqual(refused('UNAUTHENTICATED', 'was revoked'))
  })

  test('a key that another server revoked is refused here within seconds', async () => {
    const { key, id } = await newKey()
    await auth.authenticate(bearer(key))
    await server().keys.revoke(id)
    now += 5_001
    await expect(auth.authenticate(bearer(key))).rejects.toEqual(refused('UNAUTHENTICATED', 'was revoked'))
  })

  test('revoking twice changes nothing, revoking what is not there is 404', async () => {
    const { id } = await newKey()
    await auth.keys.revoke(id)
    const [first] = await auth.keys.list()
    now += DAY
    await auth.keys.revoke(id)
    expect(await auth.keys.list()).toEqual([first])
    await expect(auth.keys.revoke('nothing')).rejects.toEqual(refused('NOT_FOUND', 'no API key nothing'))
  })

  test('a key with an end is good until then', async () => {
    const { key } = await auth.keys.create({
      name: 'ci',
      role: 'viewer',
      expiresAt: '2026-01-02T09:00:00+09:00',
    })
    expect((await auth.authenticate(bearer(key))).expiresAt).toBe(START + DAY)
    now += DAY
    await expect(auth.authenticate(bearer(key))).rejects.toEqual(
      refused('UNAUTHENTICATED', 'expired at 2026-01-02T00:00:00.000Z'),
    )
  })

  test('its last use is noted, at most once a minute', async () => {
    const { key, id } = await newKey()
    const lastUsed = async () => (await store.apiKeys.get(id))?.lastUsedAt
    await auth.authenticate(bearer(key))
    await expect.poll(lastUsed).toBe('2026-01-01T00:00:00.000Z')
    now += 59_999
    await auth.authenticate(bearer(key))
    now += 1
    await auth.authenticate(bearer(key))
    await expect.poll(lastUsed).toBe('2026-01-01T00:01:00.000Z')
  })
})

describe('the admin key', () => {
  test('is made and told once', async () => {
    const first = await ensureAdminKey(auth.keys)
    expect(first).toEqual({ key: expect.stringMatching(/^kerutakey_/), created: true })
    expect(await ensureAdminKey(server().keys)).toBeUndefined()
    expect(await auth.authenticate(bearer(first!.key))).toMatchObject({
      name: 'admin',
      role: 'admin',
      sessionIds: null,
    })
  })

  test('can be preset, and changed so on a later start', async () => {
    expect(await ensureAdminKey(auth.keys, 'preset-by-the-operator')).toEqual({
      key: 'preset-by-the-operator',
      created: true,
    })
    const { cookie } = await auth.login(call(), 'preset-by-the-operator')
    const restarted = server()
    expect(await ensureAdminKey(restarted.keys, 'preset-by-the-operator')).toBeUndefined()
    expect(await ensureAdminKey(restarted.keys, 'changed-by-the-operator')).toMatchObject({ created: false })
    await restarted.authenticate(bearer('changed-by-the-operator'))
    await expect(restarted.authenticate(bearer('preset-by-the-operator'))).rejects.toThrow('unknown')
    await expect(restarted.authenticate(withCookie(cookie))).rejects.toThrow('log in again')
  })

  test('that was revoked is restored by a preset alone', async () => {
    await ensureAdminKey(auth.keys, 'preset-by-the-operator')
    await auth.keys.revoke('admin')
    expect(await ensureAdminKey(auth.keys)).toBeUndefined()
    await expect(auth.authenticate(bearer('preset-by-the-operator'))).rejects.toThrow('revoked')
    expect(await ensureAdminKey(auth.keys, 'preset-by-the-operator')).toMatchObject({ created: false })
    await auth.authenticate(bearer('preset-by-the-operator'))
  })

  test('must fit into a header', async () => {
    await expect(ensureAdminKey(auth.keys, 'ключ администратора')).rejects.toThrow('printable ASCII')
  })
})

describe("the console's session", () => {
  test('is a cookie that scripts cannot read, and that survives a restart', async () => {
    const { key } = await newKey()
    const { cookie, principal } = await auth.login(call(), ` ${key}\n`)
    expect(principal.role).toBe('operator')
    expect(cookie).toMatch(/^keruta_session=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/)
    expect(await server().authenticate(withCookie(cookie))).toMatchObject({ name: 'ci', via: 'cookie' })
  })

  test('goes over TLS alone where the browser uses TLS', async () => {
    const { key } = await newKey()
    expect((await auth.login(call({ 'x-forwarded-proto': 'https' }), key)).cookie).toMatch(/; Secure$/)
  })

  test('dies with its key', async () => {
    const { key, id } = await newKey()
    const { cookie } = await auth.login(call(), key)
    await auth.keys.revoke(id)
    await expect(auth.authenticate(withCookie(cookie))).rejects.toEqual(
      refused('UNAUTHENTICATED', 'was revoked'),
    )
  })

  test('ends after 30 days, or when its key or JWT ends', async () => {
    const { key } = await newKey()
    const { cookie } = await auth.login(call(), key)
    const token = await jwt({ role: 'viewer', exp: now / 1000 + 60 })
    const short = await auth.login(call(), token)
    expect(short.cookie).toContain('Max-Age=60')
    expect(await auth.authenticate(withCookie(short.cookie))).toMatchObject({ role: 'viewer', via: 'cookie' })
    now += 61_000
    await expect(auth.authenticate(withCookie(short.cookie))).rejects.toThrow('expired')
    now += 30 * DAY
    await expect(auth.authenticate(withCookie(cookie))).rejects.toThrow('expired')
  })

  test('is not taken from pages of other sites', async () => {
    const { key } = await newKey()
    const { cookie } = await auth.login(call(), key)
    await auth.authenticate(withCookie(cookie, { origin: 'http://127.0.0.1:8080' }))
    const foreign = withCookie(cookie, { origin: 'https://evil.example' })
    await expect(auth.authenticate(foreign)).rejects.toEqual(
      refused('FOREIGN_ORIGIN', 'https://evil.example'),
    )
    await expect(auth.login(foreign, key)).rejects.toEqual(refused('FOREIGN_ORIGIN', 'https://evil.example'))
    expect(() => auth.logoutCookie(foreign)).toThrow('https://evil.example')
  })

  test('is ended by an empty cookie', () => {
    expect(auth.logoutCookie(call())).toBe('keruta_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0')
  })

  test('after ten wrong keys an address waits, others do not, and good keys do not count', async () => {
    const { key } = await newKey()
    for (let i = 0; i < 20; i++) await auth.login(call(), key)
    const guesses = await Promise.allSettled(Array.from({ length: 12 }, () => auth.login(call(), 'guess')))
    const codes = guesses.map(guess => guess.status === 'rejected' && guess.reason.code)
    expect(codes.filter(code => code === 'UNAUTHENTICATED')).toHaveLength(10)
    await expect(auth.login(call(), key)).rejects.toEqual(
      expect.objectContaining({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) }),
    )
    await auth.login(call({}, '/api/v1/login', '10.0.0.2'), key)
    const proxied = call({ 'x-forwarded-for': '10.0.0.1, 10.0.0.3' }, '/api/v1/login', '127.0.0.1')
    await auth.login(proxied, key)
  })
})

test('behind trusted proxies wrong keys count for the address that the outermost of them names', async () => {
  const trusting = server({ trustedProxies: ['172.16.0.0/12', 'fd00::1'] })
  const { key } = await newKey()
  const login = (remote: string, forwarded: string, token: string) =>
    trusting.login(call({ 'x-forwarded-for': forwarded }, '/api/v1/login', remote), token)
  const fill = (remote: string, forwarded: string) =>
    Promise.allSettled(Array.from({ length: 10 }, () => login(remote, forwarded, 'guess')))
  const limited = expect.objectContaining({ code: 'RATE_LIMITED' })

  await fill('172.20.0.5', '10.0.0.1')
  await login('172.20.0.5', '10.0.0.2', key)
  await expect(login('fd00::1', 'forged, 10.0.0.1', key)).rejects.toEqual(limited)
  await expect(login('::ffff:172.20.0.9', '10.0.0.1, 172.20.0.5', key)).rejects.toEqual(limited)
  // Who is no proxy is its own address, whatever it says.
  await fill('10.9.9.9', '10.0.0.7')
  await login('172.20.0.5', '10.0.0.7', key)
  await expect(login('10.9.9.9', '10.0.0.8', key)).rejects.toEqual(limited)
})

describe('open connections', () => {
  test('are told when their key is revoked, once, and only theirs', async () => {
    const [mine, other] = [await newKey(), await newKey()]
    const onEnd = vi.fn()
    auth.watch(await auth.authenticate(bearer(mine.key)), onEnd)
    await auth.keys.revoke(other.id)
    expect(onEnd).not.toHaveBeenCalled()
    await auth.keys.revoke(mine.id)
    await auth.keys.revoke(mine.id)
    expect(onEnd.mock.calls).toEqual([[refused('UNAUTHENTICATED', '"ci" was revoked')]])
  })

  test('that open while their key is being revoked are told too', async () => {
    const { key, id } = await newKey()
    const principal = await auth.authenticate(bearer(key))
    await auth.keys.revoke(id)
    const onEnd = vi.fn()
    auth.watch(principal, onEnd)
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledOnce(), 10_000)
  })

  test('are told when their time is over', async () => {
    const principal = await auth.authenticate(bearer(await jwt({ role: 'viewer', exp: now / 1000 + 60 })))
    now += 60_000
    const onEnd = vi.fn()
    auth.watch(principal, onEnd)
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledWith(refused('UNAUTHENTICATED', 'expired')), 10_000)
  })

  test('that have closed are not told', async () => {
    const { key, id } = await newKey()
    const onEnd = vi.fn()
    auth.watch(await auth.authenticate(bearer(key)), onEnd)()
    await auth.keys.revoke(id)
    expect(onEnd).not.toHaveBeenCalled()
  })
})

describe('with KERUTA_AUTH=off', () => {
  beforeEach(() => {
    auth = server({ mode: 'off', allowedOrigins: ['https://ops.example'] })
  })

  test('everybody on this machine is admin', async () => {
    expect(auth.required).toBe(false)
    expect(await auth.authenticate(call())).toMatchObject({ role: 'admin', via: 'off', keyId: null })
    await auth.authenticate(call({ origin: 'http://localhost:3000' }))
    await auth.authenticate(call({ origin: 'https://ops.example' }))
  })

  test('pages of other sites are refused, under whatever name they reach the server', async () => {
    await expect(auth.authenticate(call({ origin: 'https://evil.example' }))).rejects.toThrow('evil.example')
    const rebound = call({ host: 'evil.example:8080' })
    await expect(auth.authenticate(rebound)).rejects.toEqual(refused('FOREIGN_ORIGIN', 'evil.example:8080'))
  })
})
