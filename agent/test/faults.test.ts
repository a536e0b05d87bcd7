import { spawn } from 'node:child_process'
import { closeSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makePipes, readPipe } from '../capture/pipe.ts'
import { FakeServer, type Fault } from './fake-server.ts'
import { Keruta } from './keruta.ts'

let server: FakeServer
let keruta: Keruta
beforeEach(async () => {
  server = await FakeServer.start()
  keruta = new Keruta(server.url)
})
afterEach(async () => {
  keruta.clean()
  await server.stop()
})

const count = (lines: number) => [
  '--',
  'sh',
  '-c',
  `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; done`,
]
const expected = (lines: number) => Array.from({ length: lines }, (_, index) => `line ${index + 1}`)

/** Every third segment meets the fault, at most so often. */
const sometimes = (fault: Fault, times: number) => (nth: number) =>
  nth % 3 === 0 && nth / 3 <= times ? fault : undefined

describe('every line arrives once, in order, where the server', () => {
  const faults: [what: string, fault: Fault][] = [
    ['cuts the connection', { kind: 'cut' }],
    ['has its store away', { kind: 'error', code: 'STORE_UNAVAILABLE', retryAfterMs: 10 }],
    ['limits the rate', { kind: 'error', code: 'RATE_LIMITED', retryAfterMs: 20 }],
    ['has a full disk', { kind: 'error', code: 'DISK_FULL', retryAfterMs: 10 }],
    ['stores a part of a segment', { kind: 'part', lines: 1 }],
  ]
  it.each(faults)('%s', async (_what, fault) => {
    server.fault = sometimes(fault, 4)
    const { code } = await keruta.run(['execute', '--task-id', 't', ...count(20_000)])
    expect(code).toBe(0)
    expect(server.messages('t')).toEqual(expected(20_000))
    expect([...server.ended.values()]).toEqual([20_000])
  })
})

it('does not slow or fail a script while the server is away, and the next start delivers it all', async () => {
  const { port } = server
  await server.stop()
  const { code, stdout, stderr } = await keruta.run([
    'execute',
    '--task-id',
    't',
    '--drain-timeout',
    '300ms',
    ...count(5000),
  ])
  expect(code).toBe(0)
  expect(String(stdout).split('\n')).toHaveLength(5001)
  expect(stderr).toMatch(/5000 lines and the end of task t could not be delivered/)
  expect(readdirSync(keruta.spool)).toHaveLength(1)

  server = await FakeServer.start(port)
  expect((await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])).code).toBe(0)
  expect(server.messages('t')).toEqual(expected(5000))
  expect(
    server.calls.filter(({ path }) => path.includes('/t/')).map(({ path }) => path.split('/').at(-1)),
  ).toEqual(['start'])
  expect(readdirSync(keruta.spool)).toEqual([])
})

it('goes on where it was when the server comes back during the script', async () => {
  const { port } = server
  const script = 'echo first; read x; echo last'
  const { process: agent, ended } = keruta.start([
    'execute',
    '--verbose',
    '--task-id',
    't',
    '--',
    'sh',
    '-c',
    script,
  ])
  await vi.waitFor(() => expect(server.messages('t')).toEqual(['first']), 10_000)
  await server.stop()
  const before = server
  server = await FakeServer.start(port)
  server.adopt(before)
  agent.stdin!.end('go\n')
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(server.messages('t')).toEqual(['first', 'last'])
  for (const told of [
    'the run is at http',
    'server has 0',
    'no connection',
    'server has 1',
    'the server has 2 lines and the end',
  ])
    expect(stderr).toContain(told)
})

it('loses nothing it has read when it is killed, and says that the agent was lost', async () => {
  server.fault = () => ({ kind: 'ignore' })
  const { process: agent, ended } = keruta.start([
    'execute',
    '--task-id',
    't',
    '--',
    'sh',
    '-c',
    'for i in 1 2 3; do echo "line $i"; done; read x',
  ])
  let shown = ''
  agent.stdout!.on('data', chunk => {
    shown += chunk
  })
  await vi.waitFor(() => expect(shown).toContain('line 3'), 10_000)
  agent.kill('SIGKILL')
  await ended
  server.fault = () => undefined
  server.task = { agentId: server.calls[0]!.body.agentId }
  // A command stays at most 5 s for it; what it has no time for is the next one's.
  const left = async () => {
    await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])
    return readdirSync(keruta.spool)
  }
  await expect.poll(left, { timeout: 25_000 }).toEqual([])
  expect(server.messages('t')).toEqual(expected(3))
  expect(server.ended.size).toBe(0)
  expect(server.calls.find(({ path }) => path.endsWith('/t/fail'))!.body).toMatchObject({
    errorCode: 'AGENT_LOST',
  })
})

it('has kept each line that it shows, however soon after that it is killed', async () => {
  server.fault = () => ({ kind: 'ignore' })
  const [pipe] = makePipes(1)!
  const [file, ...words] = keruta.command(['execute', '--task-id', 't', ...count(50_000)])
  const agent = spawn(file!, words, {
    env: keruta.environment() as NodeJS.ProcessEnv,
    stdio: ['ignore', pipe!.writeFd, 'inherit'],
  })
  keruta.running.push(agent)
  closeSync(pipe!.writeFd)
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  let shown = ''
  const onChunk = (chunk: Buffer) => {
    agent.kill('SIGKILL')
    shown += chunk
  }
  readPipe(pipe!.readFd, onChunk, close)
  await closed
  const seen = shown.split('\n').slice(0, -1)
  server.fault = () => undefined
  server.task = { agentId: server.calls[0]!.body.agentId }
  await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])
  await vi.waitFor(() => expect(server.messages('t').length).toBeGreaterThan(0), 10_000)
  expect(server.messages('t').slice(0, seen.length)).toEqual(seen)
})

it('never takes the spool of an agent that lives', async () => {
  server.fault = () => ({ kind: 'ignore' })
  const { process: agent, ended } = keruta.start([
    'execute',
    '--task-id',
    't',
    '--drain-timeout',
    '200ms',
    '--',
    'sh',
    '-c',
    'echo mine; read x',
  ])
  await vi.waitFor(() => expect(readdirSync(keruta.spool)).toHaveLength(1), 10_000)
  const [name] = readdirSync(keruta.spool)
  await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])
  expect(readdirSync(join(keruta.spool))).toEqual([name])
  agent.stdin!.end('\n')
  await ended
})

it('says once that the token is refused, and lets the script go on', async () => {
  server.answer = () => 401
  server.refuseUpgrade = 401
  const { code, stderr } = await keruta.run(['execute', '--task-id', 't', '--', 'sh', '-c', 'exit 5'])
  expect(code).toBe(5)
  expect(stderr.match(/token/g)!.length).toBeLessThanOrEqual(4)
  expect(readdirSync(keruta.spool)).toHaveLength(1)
})

it('slows the script down when the spool is full, says so, and still delivers all', async () => {
  let open = false
  server.fault = () => (open ? undefined : { kind: 'error', code: 'STORE_UNAVAILABLE', retryAfterMs: 20 })
  const { ended } = keruta.start(
    [
      'execute',
      '--task-id',
      't',
      '--quiet',
      '--',
      'sh',
      '-c',
      'yes 0123456789012345678901234567890123456789 | head -n 200000',
    ],
    { KERUTA_SPOOL_MAX_MB: '2' },
  )
  await vi.waitFor(() => expect(server.refused).toBeGreaterThan(20), 20_000)
  open = true
  expect((await ended).code).toBe(0)
  expect(server.messages('t', 'stdout')).toHaveLength(200_000)
  expect(server.messages('t', 'agent')).toEqual([expect.stringContaining('the spool has reached 2 MB')])
})

it('does not hold the script for ever where the server will never take its lines, nor later ones of others', async () => {
  const bad: Fault = { kind: 'error', code: 'BAD_SEGMENT' }
  server.fault = () => bad
  const script = 'yes 0123456789012345678901234567890123456789 | head -n 100000'
  const { code, stderr } = await keruta.run(
    ['execute', '--quiet', '--task-id', 't', '--', 'sh', '-c', script],
    {
      KERUTA_SPOOL_MAX_MB: '2',
    },
  )
  expect(code).toBe(0)
  expect(stderr).toMatch(/cannot read this agent's lines/)
  expect(stderr).toMatch(/\d+ lines and the end of task t .* \d+ lines are lost because the spool was full/)

  server.fault = (_nth, taskId) => (taskId === 't' ? bad : { kind: 'ignore' })
  await keruta.run(['execute', '--task-id', 'u', '--drain-timeout', '200ms', '--', 'echo', 'later'])
  server.fault = (_nth, taskId) => (taskId === 't' ? bad : undefined)
  await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])
  expect(server.messages('u')).toEqual(['later'])
})

it('log - streams the lines of stdin as they come', async () => {
  const { process: agent, ended } = keruta.start(['log', '-', '--task-id', 't'])
  agent.stdin!.write('one\n')
  await vi.waitFor(() => expect(server.messages('t')).toEqual(['one']), 10_000)
  agent.stdin!.end('ERROR: two\n')
  expect((await ended).code).toBe(0)
  expect(server.entries.get('t')!.map(({ source, level }) => [source, level])).toEqual([
    ['agent', 'INFO'],
    ['agent', 'ERROR'],
  ])
})
