import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'

let server: TestServer
let keruta: Keruta
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
})
afterEach(() => keruta.clean())

test.each([
  [
    ['logs', 't', '--level', 'LOUD'],
    'level.0: unknown level "LOUD"; one of DEBUG, INFO, WARN, ERROR, CRITICAL',
  ],
  [
    ['logs', 't', '--min-level', 'NO', '--source', 'me'],
    'source.0: unknown source; one of stdout, stderr, agent; minLevel: unknown level "NO"; one of DEBUG, INFO, WARN, ERROR, CRITICAL',
  ],
  [
    ['tasks', 'create', '--script', 'make test'],
    'the script make test cannot be read: no such file or directory; a command line goes with --command',
  ],
  [['execute', ''], 'the script is an empty word; is a variable unset?'],
  [['execute', '--script', ''], 'the script is an empty word; is a variable unset?'],
  [['execute', '--', ''], 'the command is an empty word; is a variable unset?'],
])('keruta %j is bad usage, and says once what is wrong', async (args, message) => {
  await server.post('/tasks/t/logs', { message: 'x' })
  const { code, stderr } = await keruta.run(args)
  expect([code, stderr]).toEqual([2, `keruta: ${message}\n`])
})

test('keruta logs gives JSON where --json asks for it', async () => {
  await server.post('/tasks/json/logs', { message: 'x' })
  const { stdout } = await keruta.run(['logs', 'json', '--json'])
  expect(JSON.parse(String(stdout))).toMatchObject([{ message: 'x' }])
})

test('keruta logs ends quietly where nobody reads on', async () => {
  await server.post(
    '/tasks/long/logs',
    Array.from({ length: 5000 }, () => ({ message: 'x'.repeat(200) })),
  )
  const { process: child, ended } = keruta.start(['logs', 'long'])
  await once(child.stdout!, 'data')
  child.stdout!.destroy()
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
})

test('keruta execute tells the terminal too that it stopped the script', async () => {
  const { code, stderr } = await keruta.run([
    'execute',
    '--task-id',
    'slow',
    '--timeout',
    '200ms',
    '--',
    'sleep',
    '60',
  ])
  expect([code, stderr]).toEqual([143, 'keruta: stopped after the timeout of 0.2 s\n'])
})
