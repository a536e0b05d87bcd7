import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from './config.ts'

test('An empty environment listens on loopback, with authentication, data in ./data', () => {
  expect(parseConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: './data',
    auth: 'on',
    dev: false,
  })
})

test('An empty variable counts as not set', () => {
  expect(parseConfig({ PORT: '', KERUTA_ADMIN_KEY: '' })).toMatchObject({ port: 8080, adminKey: undefined })
})

test('Every variable that is wrong is named, with how it should be', () => {
  const parse = () => parseConfig({ PORT: 'http', KERUTA_AUTH: 'no', KERUTA_ADMIN_KEY: 'short' })
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(
    /PORT: must be a whole number from 0 to 65535\nKERUTA_AUTH: must be on or off\nKERUTA_ADMIN_KEY: must have at least 16/,
  )
})

test('Allowed origins are taken as browsers send them, and anything else is refused', () => {
  const parse = (text: string) => parseConfig({ KERUTA_ALLOWED_ORIGINS: text }).allowedOrigins
  expect(parse(' https://tools.example/, HTTP://10.0.0.1:8080 ,,http://a:80')).toEqual([
    'https://tools.example',
    'http://10.0.0.1:8080',
    'http://a',
  ])
  for (const wrong of [
    '*',
    'tools.example',
    'https://a/b',
    'https://a?b',
    'file:///x',
    'null',
    'https://u@a',
  ])
    expect(() => parse(`https://a,${wrong}`)).toThrow(
      `"${wrong}" must be an origin such as https://tools.example`,
    )
})

test('Trusted proxies are addresses and networks, and anything else is refused', () => {
  const parse = (text: string) => parseConfig({ KERUTA_TRUSTED_PROXIES: text }).trustedProxies
  expect(parse(' 10.0.0.1, 172.16.0.0/12 ,fd00::/8')).toEqual(['10.0.0.1', '172.16.0.0/12', 'fd00::/8'])
  for (const wrong of ['nginx', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.1:80', '*'])
    expect(() => parse(`::1,${wrong}`)).toThrow(
      `"${wrong}" must be an address or a network such as 10.0.0.0/8`,
    )
})

test('Redis is named by a URL of its own kind, and a wrong one is not shown', () => {
  expect(parseConfig({}).redisUrl).toBeUndefined()
  for (const url of ['redis://localhost', 'rediss://user:pass@redis.example:6380/2'])
    expect(parseConfig({ REDIS_URL: url }).redisUrl).toBe(url)
  const parse = () => parseConfig({ REDIS_URL: 'http://user:secret@redis.example' })
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(/^REDIS_URL: must be redis:\/\/host:port or rediss:\/\/host:port$/)
})

test('Authentication can be off on loopback only', () => {
  expect(parseConfig({ KERUTA_AUTH: 'off' }).auth).toBe('off')
  expect(parseConfig({ KERUTA_AUTH: 'off', HOST: '::1' }).auth).toBe('off')
  expect(() => parseConfig({ KERUTA_AUTH: 'off', HOST: '0.0.0.0' })).toThrow(/only for a server on loopback/)
})

test('A URL of MongoDB alone chooses it, KERUTA_STORE=sqlite ignores it, and the embedded store needs none', () => {
  const url = 'mongodb://user:secret@a:27017,b:27017/keruta?replicaSet=rs0'
  expect(parseConfig({ DATABASE_URL: url }).databaseUrl).toBe(url)
  expect(parseConfig({ KERUTA_STORE: 'mongodb', DATABASE_URL: url }).databaseUrl).toBe(url)
  expect(parseConfig({ DATABASE_URL: 'mongodb+srv://cluster.example' }).databaseUrl).toMatch(/^mongodb\+srv/)
  expect(parseConfig({ KERUTA_STORE: 'sqlite', DATABASE_URL: url }).databaseUrl).toBeUndefined()
  expect(parseConfig({}).databaseUrl).toBeUndefined()
})

test('A store that cannot be is refused, and no password is shown', () => {
  expect(() => parseConfig({ KERUTA_STORE: 'mongodb' })).toThrow(/DATABASE_URL: is needed .* mongodb:\/\//)
  expect(() => parseConfig({ KERUTA_STORE: 'postgres' })).toThrow(/KERUTA_STORE: must be sqlite or mongodb/)
  expect(() => parseConfig({ DATABASE_URL: 'mongodb://' })).toThrow(/DATABASE_URL: must be mongodb:\/\/host/)
  const parse = () => parseConfig({ DATABASE_URL: 'postgres://user:secret@host/db' })
  expect(parse).toThrow(/DATABASE_URL: must be mongodb:\/\/host\/database/)
  expect(parse).not.toThrow(/secret/)
})
