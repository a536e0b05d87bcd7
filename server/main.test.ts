import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keruta-main-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Runs the server until it ends or `until` is printed. */
async function run(environment: Record<string, string>, until?: RegExp) {
  const child = spawn(process.execPath, ['server/main.ts'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      KERUTA_SERVER_LOG_LEVEL: 'warn',
      ...environment,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const seen = new Promise<void>(resolve => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk
        if (until?.test(output)) resolve()
      })
    }
  })
  const ended = once(child, 'exit')
  await Promise.race([seen, ended])
  return { child, ended, output: () => output }
}

test('The first start prints the data folder, a login link and the admin key; the second does not print the key', async () => {
  const dataDir = await tempDir()
  const first = await run({ KERUTA_DATA_DIR: dataDir }, /shown this once: \S+\n/)
  const key = /shown this once: (\S+)/.exec(first.output())![1]!
  expect(first.output()).toMatch(/^keruta listens on /)
  expect(first.output()).toContain(`data lies in ${dataDir}`)
  expect(first.output()).toMatch(new RegExp(`log in: http://127\\.0\\.0\\.1:\\d+/login#key=${key}`))
  first.child.kill('SIGTERM')
  expect((await first.ended)[0]).toBe(0)
  const second = await run({ KERUTA_DATA_DIR: dataDir }, /data lies in/)
  second.child.kill('SIGTERM')
  await second.ended
  expect(second.output()).not.toContain(key)
})

test('A port in use, a data folder in use and bad settings end the start with one clear message', async () => {
  const server = await TestServer.start()
  onTestFinished(() => server.dispose())
  const messageOf = async (environment: Record<string, string>) => {
    const { ended, output } = await run(environment)
    expect((await ended)[0]).toBe(1)
    return output()
  }
  expect(await messageOf({ KERUTA_DATA_DIR: await tempDir(), PORT: new URL(server.url).port })).toMatch(
    /cannot start: .*port.*in use/i,
  )
  expect(await messageOf({ KERUTA_DATA_DIR: join(server.home, 'data') })).toMatch(/cannot start: .*another/)
  const file = join(await tempDir(), 'file')
  await writeFile(file, '')
  const closed = process.platform === 'linux' ? ['/proc/none'] : []
  for (const path of [file, join(file, 'below'), ...closed])
    expect(await messageOf({ KERUTA_DATA_DIR: path })).toMatch(
      `cannot start: the data folder ${path} cannot be made`,
    )
  expect(await messageOf({ PORT: 'http' })).toMatch(/cannot start: PORT: must be a whole number/)
})

test('SIGTERM ends it within five seconds, exit code 0, with readers connected, who are told', async () => {
  const server = await TestServer.start()
  onTestFinished(() => server.dispose())
  const at = (path: string) => `${server.url.replace('http', 'ws')}/ws/${path}?token=${ADMIN_KEY}`
  await server.post('/sessions', { id: 's', name: 's' })
  const readers = [new WebSocket(at('tasks/t')), new WebSocket(at('sessions/s'))]
  await Promise.all(readers.map(reader => once(reader, 'open')))
  const stream = await server.api('/tasks/t/logs', { method: 'POST', body: JSON.stringify({ message: 'x' }) })
  expect(stream.status).toBe(200)
  const events = await server.api('/tasks/t/logs/stream')
  const startedAt = Date.now()
  const closed = readers.map(reader => once(reader, 'close'))
  await server.stop()
  for (const [code, reason] of await Promise.all(closed))
    expect([code, String(reason)]).toEqual([1001, expect.stringContaining('connect again')])
  expect(await events.text(), 'an event stream ends, and does not break off').toContain(': task t after')
  expect(Date.now() - startedAt).toBeLessThan(5000)
})

test('SIGTERM ends it too when nobody reads its output any more', async () => {
  const { child, ended } = await run(
    { KERUTA_DATA_DIR: await tempDir(), KERUTA_SERVER_LOG_LEVEL: 'info' },
    /data lies in/,
  )
  child.stdout.destroy()
  child.stderr.destroy()
  child.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
})
