import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, type GlobalFlags, loadConfig } from './config.ts'
import { openSettingsFile } from './config-write.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keruta-config-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function load(yaml: string, env: Record<string, string> = {}, flags: GlobalFlags = {}): Promise<Config> {
  const config = join(home, 'keruta.yaml')
  writeFileSync(config, yaml)
  return loadConfig({ config, ...flags }, { HOME: home, ...env })
}

describe('settings', () => {
  it('are the documented defaults where nothing is said', async () => {
    const config = await loadConfig({}, { HOME: home })
    expect(config).toMatchObject({
      bufferSize: 1000,
      batchSize: 10,
      flushIntervalMs: 1000,
      timeoutMs: 30_000,
      retryCount: 3,
      logStreaming: true,
      spoolMaxMb: 1024,
      home: join(home, '.keruta'),
    })
  })

  it('are read from YAML in camelCase', async () => {
    const config = await load(
      'logStreaming:\n  enabled: true\n  bufferSize: 500\n  batchSize: 20\n  flushInterval: 500ms\n  maxRetries: 3\n  retryInterval: 5s\nwebsocket:\n  url: ws://keruta-api:8080/ws/tasks\n  reconnectInterval: 2s\n  maxReconnectAttempts: 7\napi:\n  url: http://keruta-api:8080/api/v1\n  timeout: 10s\n  retryCount: 5\nlogging:\n  level: WARN\n  format: json\n  output: stdout\n',
    )
    expect(config).toMatchObject({
      bufferSize: 500,
      batchSize: 20,
      flushIntervalMs: 500,
      websocketUrl: 'ws://keruta-api:8080/ws/tasks',
      reconnectMs: 2000,
      maxReconnectAttempts: 7,
      apiUrl: 'http://keruta-api:8080',
      timeoutMs: 10_000,
      retryCount: 5,
      logLevel: 'WARN',
      warnings: [],
    })
  })

  it('are read from YAML in snake_case', async () => {
    const config = await load(
      'api:\n  url: http://keruta-api:8080\nartifacts:\n  max_size: 50MB\n  directory: /out\nerror_handling:\n  auto_fix: false\n  retry_count: 4\n',
    )
    expect(config).toMatchObject({
      maxFileBytes: 50 * 1024 ** 2,
      artifactsDir: '/out',
      autoFix: false,
      retryCount: 4,
      warnings: [],
    })
  })

  it('prefer a flag to a variable to a file, and say where each is from', async () => {
    const from = async (env: Record<string, string>, flags: GlobalFlags) => {
      const { resolved } = await load('# mine\napi:\n  url: http://file:1\n', env, flags)
      const { value, from } = resolved.find(({ name }) => name === 'apiUrl')!
      return [value, from.replace(home, '')]
    }
    const env = { KERUTA_API_URL: 'http://variable:2/' }
    expect(await from(env, { apiUrl: 'http://flag:3/api/v1/' })).toEqual(['http://flag:3', '--api-url'])
    expect(await from(env, {})).toEqual(['http://variable:2', 'KERUTA_API_URL'])
    expect(await from({}, {})).toEqual(['http://file:1', '/keruta.yaml:3'])
  })

  it.each(['KERUTA_API_TOKEN', 'KERUTA_AUTH_TOKEN', 'KERUTA_API_KEY'])(
    'take the token from %s',
    async name => {
      expect((await load('', { [name]: 'secret' })).token).toBe('secret')
    },
  )

  it.each([
    [{ KERUTA_TIMEOUT: 'soon' }, '', 'KERUTA_TIMEOUT: "soon" must be a duration'],
    [
      { KERUTA_API_URL: 'localhost:8080' },
      '',
      'KERUTA_API_URL: "localhost:8080" must begin with http:// or https://',
    ],
    [{}, 'api:\n  retryCount: many\n', 'keruta.yaml:2: "many" must be a whole number'],
    [{}, 'api: {url: [\n', 'keruta.yaml:'],
  ])('that are wrong are named with their place: %j %j', async (env, yaml, message) => {
    await expect(load(yaml, env as Record<string, string>)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    })
  })

  it('that are unknown are no error, but the nearest name is told', async () => {
    const { warnings } = await load('api:\n  timout: 5s\n', { KERUTA_API_ULR: 'x' })
    expect(warnings).toEqual([
      'KERUTA_API_ULR is no variable of keruta; did you mean KERUTA_API_URL?',
      expect.stringContaining(
        'keruta.yaml:2: "api.timout" is no setting of keruta; did you mean api.timeout?',
      ),
    ])
  })

  it('know the variables of the server as not their own', async () => {
    const source = readFileSync(new URL('../server/config.ts', import.meta.url), 'utf8')
    const names = source.match(/KERUTA_[A-Z_]+/g)!
    const env = Object.fromEntries(names.map(name => [name, 'x']))
    expect((await loadConfig({}, { HOME: home, ...env })).warnings).toEqual([])
  })

  it('are written without losing the comments of the file or its spelling', () => {
    const path = join(home, 'c.yaml')
    writeFileSync(path, '# ours\nerror_handling:\n  retry_count: 3 # be patient\n')
    openSettingsFile(path).set('api.retryCount', '5')
    openSettingsFile(path).set('api.url', 'http://x:1')
    expect(readFileSync(path, 'utf8')).toBe(
      '# ours\nerror_handling:\n  retry_count: 5 # be patient\napi:\n  url: http://x:1\n',
    )
    expect(() => openSettingsFile(path).set('api.urll', 'x')).toThrow('did you mean api.url?')
    expect(() => openSettingsFile(path).set('api.timeout', 'x')).toThrow('must be a duration')
  })
})
