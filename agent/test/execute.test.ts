import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeServer } from './fake-server.ts'
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

const sh = (script: string) => ['--', 'sh', '-c', script]
const callsTo = (verb: string) =>
  server.calls.filter(({ path }) => path.endsWith(`/${verb}`)).map(({ body }) => body)

describe('execute', () => {
  it('streams both outputs in the order they were read, and passes them through', async () => {
    const { code, stdout, stderr } = await keruta.run([
      'execute',
      '--task-id',
      't',
      ...sh('echo out; sleep 0.1; echo err >&2; sleep 0.1; printf end'),
    ])
    expect({ code, stdout: String(stdout), stderr }).toEqual({ code: 0, stdout: 'out\nend', stderr: 'err\n' })
    expect(
      server.entries
        .get('t')!
        .map(({ source, level, message, lineNumber }) => [source, level, message, lineNumber]),
    ).toEqual([
      ['stdout', 'INFO', 'out', 1],
      ['stderr', 'ERROR', 'err', 1],
      ['stdout', 'INFO', 'end', 2],
    ])
    expect([...server.ended.values()]).toEqual([3])
    expect(callsTo('start')).toMatchObject([{ name: expect.stringContaining('sh -c') }])
    expect(callsTo('success')).toMatchObject([{ exitCode: 0 }])
    expect(readdirSync(keruta.spool)).toEqual([])
  })

  it('passes any bytes through unchanged', async () => {
    const { stdout } = await keruta.run([
      'execute',
      ...sh("printf 'a\\377\\000b\\r\\n\\303'; head -c 300000 /dev/zero | tr '\\0' x"),
    ])
    expect(
      stdout.equals(
        Buffer.concat([Buffer.from([0x61, 0xff, 0, 0x62, 13, 10, 0xc3]), Buffer.alloc(300_000, 'x')]),
      ),
    ).toBe(true)
  })

  it('loses and mixes up nothing at full speed', async () => {
    await keruta.run(['execute', '--quiet', '--task-id', 't', '--', 'seq', '1', '300000'])
    const wrong = server.entries.get('t')!.filter(({ message }, index) => message !== String(index + 1))
    expect(wrong.slice(0, 3)).toEqual([])
    expect(server.messages('t')).toHaveLength(300_000)
  })

  it('gives the child real pipes, its task and a token for it', async () => {
    const script =
      'echo via > /dev/stderr; echo "$KERUTA_TASK_ID $KERUTA_API_TOKEN $KERUTA_API_URL"; command -v keruta > /dev/null && echo found'
    await keruta.run(['execute', '--task-id', 't', ...sh(script)])
    expect(server.messages('t')).toEqual(expect.arrayContaining(['via', `t *** ${server.url}`, 'found']))
  })

  it.each([
    ['exit 7', 7, { exitCode: 7, errorCode: 'EXIT_7', message: 'exited with code 7' }],
    ['kill -SEGV $$', 139, { exitCode: 139, signal: 'SIGSEGV', errorCode: 'SIGSEGV' }],
    ['exec /nowhere/at/all', 127, { exitCode: 127 }],
  ])('ends as its script does: %s', async (script, exitCode, failure) => {
    expect((await keruta.run(['execute', '--task-id', 't', ...sh(script)])).code).toBe(exitCode)
    expect(callsTo('fail')).toMatchObject([failure])
    expect(server.messages('t', 'agent')).toEqual([callsTo('fail')[0]!.message])
  })

  it('says what is wrong with a command that does not exist', async () => {
    const { code, stderr } = await keruta.run(['execute', '--task-id', 't', '--', 'no-such-command'])
    expect([code, stderr]).toEqual([127, 'keruta: no-such-command was not found\n'])
    expect(callsTo('fail')).toMatchObject([{ errorCode: 'COMMAND_NOT_FOUND' }])
  })

  it('runs script files with and without the x bit, and command lines', async () => {
    const path = join(keruta.home, 'script.sh')
    writeFileSync(path, '#!/bin/sh\necho "script $1"\n')
    await keruta.run(['execute', '--task-id', 'a', path, 'one'])
    chmodSync(path, 0o755)
    await keruta.run(['execute', '--task-id', 'a', '--script', path])
    await keruta.run(['execute', '--task-id', 'a', 'echo line | tr a-z A-Z'])
    expect(server.messages('a')).toEqual(['script one', 'script ', 'LINE'])
    expect(callsTo('start').map(({ name }) => name)).toEqual([
      'script.sh',
      'script.sh',
      'echo line | tr a-z A-Z',
    ])
  })

  it('passes signals on and kills after the grace time', async () => {
    const { process: agent, ended } = keruta.start([
      'execute',
      '--task-id',
      't',
      '--grace',
      '3s',
      ...sh('trap "echo caught" TERM; echo ready; while :; do sleep 0.05; done'),
    ])
    await vi.waitFor(() => expect(server.messages('t')).toContain('ready'), 10_000)
    agent.kill('SIGTERM')
    expect((await ended).code).toBe(137)
    expect(server.messages('t', 'stdout')).toEqual(['ready', 'caught'])
    expect(callsTo('fail')).toMatchObject([
      { signal: 'SIGKILL', message: expect.stringContaining('SIGTERM') },
    ])
  })

  it('ends a script at its timeout, and one that is cancelled', async () => {
    await keruta.run(['execute', '--task-id', 't', '--timeout', '200ms', ...sh('sleep 60')])
    expect(callsTo('fail')).toMatchObject([{ errorCode: 'TIMEOUT' }])
    const { ended } = keruta.start(['execute', '--task-id', 'c', ...sh('echo ready; sleep 60')])
    await vi.waitFor(() => expect(server.messages('c')).toContain('ready'), 10_000)
    server.send({ type: 'cancel', taskId: 'c' })
    expect((await ended).code).toBe(143)
    expect(callsTo('fail')[1]).toMatchObject({ errorCode: 'CANCELLED' })
  })

  it('does not wait for ever for processes that the script left behind', async () => {
    const { code, stderr } = await keruta.run(['execute', '--task-id', 't', ...sh('sleep 20 & echo done')])
    expect(code).toBe(0)
    expect(stderr).toContain('left behind')
    expect(server.messages('t')[0]).toBe('done')
  })

  it('sends a partial line after a moment of silence', async () => {
    const { process: agent, ended } = keruta.start([
      'execute',
      '--task-id',
      't',
      ...sh('printf "Name? "; read answer; echo "$answer"'),
    ])
    await vi.waitFor(() => expect(server.messages('t')).toEqual(['Name? ']), 10_000)
    agent.stdin!.end('me\n')
    await ended
    expect(server.entries.get('t')![1]).toMatchObject({
      message: 'me',
      metadata: { continued: true },
      lineNumber: 1,
    })
  })

  it('holds lines below --log-level back, but not from the terminal', async () => {
    const { stdout } = await keruta.run([
      'execute',
      '--task-id',
      't',
      '--log-level',
      'WARN',
      ...sh('echo plain; echo "WARN: look"; echo plain'),
    ])
    expect(String(stdout)).toBe('plain\nWARN: look\nplain\n')
    expect(server.messages('t', 'stdout')).toEqual(['WARN: look'])
  })

  it('reports only start and end with --disable-log-streaming', async () => {
    await keruta.run(['execute', '--task-id', 't', '--disable-log-streaming', ...sh('echo x')])
    expect(server.messages('t')).toEqual([])
    expect([callsTo('start').length, callsTo('success').length]).toEqual([1, 1])
  })

  it('lets stand what the script itself reported', async () => {
    server.answer = ({ path }) => (path.endsWith('/success') ? 409 : undefined)
    const { code, stderr } = await keruta.run(['execute', '--task-id', 't', ...sh('exit 0')])
    expect([code, stderr]).toEqual([0, ''])
    expect(readdirSync(keruta.spool)).toEqual([])
  })

  it('refuses to run a task that the server does not let start', async () => {
    server.answer = ({ path }) => (path.endsWith('/start') ? 409 : undefined)
    const { code, stdout } = await keruta.run(['execute', '--task-id', 't', ...sh('echo ran')])
    expect([code, String(stdout)]).toEqual([1, ''])
  })
})
