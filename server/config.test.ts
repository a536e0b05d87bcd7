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

test('Authentication can be off on loopback only', () => {
  expect(parseConfig({ KERUTA_AUTH: 'off' }).auth).toBe('off')
  expect(parseConfig({ KERUTA_AUTH: 'off', HOST: '::1' }).auth).toBe('off')
  expect(() => parseConfig({ KERUTA_AUTH: 'off', HOST: '0.0.0.0' })).toThrow(/only for a server on loopback/)
})
