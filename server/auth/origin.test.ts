import { expect, test } from 'vitest'
import { checkOrigin } from './origin.ts'
import { fromFetch } from './request.ts'

const from = (origin: string | undefined, host = '127.0.0.1:8080') =>
  fromFetch(new Request('http://x/', { headers: { host, ...(origin && { origin }) } }), '')

test.each([
  ['no page at all', undefined, '127.0.0.1:8080'],
  ["the server's own page", 'http://127.0.0.1:8080', '127.0.0.1:8080'],
  ['its own page behind a proxy that speaks TLS', 'https://logs.example', 'logs.example'],
  ['its own page where Host spells the default port', 'https://logs.example', 'logs.example:443'],
  ['a page that KERUTA_ALLOWED_ORIGINS names', 'https://ops.example', '127.0.0.1:8080'],
])('with a cookie, calls from %s are taken', (_, origin, host) => {
  expect(() => checkOrigin(from(origin, host), 'cookie', ['https://ops.example'])).not.toThrow()
})

test.each([
  'https://evil.example',
  'http://127.0.0.1:3000',
  'http://127.0.0.1',
  'null',
  'file://',
  'nonsense',
])('with a cookie, calls from pages of %s are refused', origin => {
  expect(() => checkOrigin(from(origin), 'cookie', [])).toThrow(`pages of ${origin} are refused`)
})

test.each(['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000', 'file://'])(
  'without authentication, pages of %s may call too',
  origin => {
    expect(() => checkOrigin(from(origin), 'off', [])).not.toThrow()
  },
)

test.each(['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'http://localhost.evil.example'])(
  'without authentication, pages of %s may not call',
  origin => {
    expect(() => checkOrigin(from(origin), 'off', [])).toThrow('KERUTA_ALLOWED_ORIGINS')
  },
)

test('without authentication, a foreign name that was made to point here is not answered', () => {
  expect(() => checkOrigin(from('http://evil.example:8080', 'evil.example:8080'), 'off', [])).toThrow(
    '"evil.example:8080"',
  )
})

test('who shows a token by hand may call from anywhere', () => {
  for (const via of ['header', 'query'] as const) {
    expect(() => checkOrigin(from('https://evil.example'), via, [])).not.toThrow()
  }
})
