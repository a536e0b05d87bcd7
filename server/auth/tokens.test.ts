import { SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { Tokens } from './tokens.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const NOW = Date.parse('2026-01-01T00:00:00Z')
const tokens = new Tokens(SECRET, () => NOW)
const inAnHour = NOW / 1000 + 3600

const sign = (claims: Record<string, unknown>, { secret = SECRET, alg = 'HS256' } = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))

test('a JWT that anybody with the secret signed says role, sessions and end', async () => {
  const token = await sign({ sub: 'alice', role: 'operator', sessions: ['s1'], exp: inAnHour })
  expect(await tokens.verify(token)).toEqual({
    sub: 'alice',
    role: 'operator',
    sessions: ['s1'],
    exp: inAnHour,
  })
})

test("a task's token is good for that task for seven days, and after a restart with the same secret", async () => {
  const token = await tokens.issueForTask('task123')
  const sixDays = new Tokens(SECRET, () => NOW + 6 * 86_400_000)
  expect(await sixDays.verify(token)).toMatchObject({ role: 'agent', task: 'task123' })
  const eightDays = new Tokens(SECRET, () => NOW + 8 * 86_400_000)
  await expect(eightDays.verify(token)).rejects.toThrow('the token expired at 2026-01-08T00:00:00.000Z')
})

test.each<[string, () => Promise<string> | string, string]>([
  [
    'forged',
    () => sign({ role: 'admin', exp: inAnHour }, { secret: 'b'.repeat(32) }),
    'not signed by this server',
  ],
  ['altered', async () => alter(await sign({ role: 'viewer', exp: inAnHour })), 'not signed by this server'],
  ['unsigned', () => new UnsecuredJWT({ role: 'admin', exp: inAnHour }).encode(), 'signed with HS256'],
  [
    'of another algorithm',
    () => sign({ role: 'admin', exp: inAnHour }, { secret: 'c'.repeat(64), alg: 'HS512' }),
    'HS256',
  ],
  ['without an end', () => sign({ role: 'admin' }), 'no exp claim'],
  ['over', () => sign({ role: 'admin', exp: inAnHour - 7200 }), 'expired at 2025-12-31T23:00:00.000Z'],
  ['not yet good', () => sign({ role: 'admin', exp: inAnHour, nbf: inAnHour - 60 }), 'not good now'],
  ['of an unknown role', () => sign({ role: 'root', exp: inAnHour }), 'claim role is wrong: unknown role'],
  [
    'with sessions that are no list',
    () => sign({ role: 'viewer', sessions: 's1', exp: inAnHour }),
    'claim sessions',
  ],
  ['no JWT at all', () => 'eyJhbGciOiJIUzI1NiJ9.x.y', 'readable JWT'],
  ["a cookie's", () => tokens.issueForCookie('k1', 'print', inAnHour), "console's cookie alone"],
])('a token that is %s is refused with the reason', async (_, make, reason) => {
  await expect(tokens.verify(await make())).rejects.toThrow(
    expect.objectContaining({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining(reason),
    }),
  )
})

test('a secret that could be guessed is refused', () => {
  expect(() => new Tokens('short', () => NOW)).toThrow('at least 32 bytes, it has 5')
})

function alter(token: string): string {
  const [header, , signature] = token.split('.')
  const payload = Buffer.from(JSON.stringify({ role: 'admin', exp: inAnHour })).toString('base64url')
  return [header, payload, signature].join('.')
}
