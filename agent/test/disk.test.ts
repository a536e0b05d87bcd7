import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

const AWAY = { kind: 'error', code: 'STORE_UNAVAILABLE', retryAfterMs: 20 } as const
const sh = (script: string) => ['execute', '--task-id', 't', '--', 'sh', '-c', script]
const spoolFiles = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.seg'))

describe('a home that cannot be written', () => {
  it('gives way to the temporary folder, which is said, and from which the next command delivers', async () => {
    writeFileSync(join(keruta.home, '.keruta'), 'a file where the folder should be')
    const env = { TMPDIR: join(keruta.home, 'tmp') }
    mkdirSync(env.TMPDIR)
    server.fault = () => ({ kind: 'ignore' })
    const { code, stdout, stderr } = await keruta.run(
      [
        'execute',
        '--quiet',
        '--task-id',
        't',
        '--drain-timeout',
        '200ms',
        '--',
        'sh',
        '-c',
        'echo one; exit 3',
      ],
      env,
    )
    const spool = join(env.TMPDIR, 'keruta', 'spool')
    expect([code, String(stdout)]).toEqual([3, ''])
    expect(stderr).toMatch(/\.keruta cannot be written \(\w+\): \S+\/tmp\/keruta is used/)
    expect(stderr).toMatch(
      /2 lines and the end of task t could not be delivered in time: kept in \S+\/tmp\/keruta/,
    )
    server.fault = () => undefined
    rmSync(join(keruta.home, '.keruta'))
    await keruta.run(['log', 'INFO', 'x', '--task-id', 'other'], env)
    expect(server.messages('t')).toEqual(['one', 'exited with code 3'])
    expect(readdirSync(spool)).toEqual([])
  })

  it.runIf(process.platform === 'linux')(
    'gives way too where no folder can be made, as below /proc',
    async () => {
      const home = '/proc/keruta'
      const { code, stderr } = await keruta.run(
        ['execute', '--quiet', '--task-id', 't', '--', 'echo', 'one'],
        {
          KERUTA_BASE_DIR: home,
          KERUTA_ARTIFACTS_DIR: '/proc/artifacts',
          TMPDIR: keruta.home,
        },
      )
      expect(code).toBe(0)
      expect(stderr).toContain(`${home} cannot be written (ENOENT): ${join(keruta.home, 'keruta')} is used`)
      expect(server.messages('t')).toContain('one')
    },
  )

  it('without any other place to write to changes nothing for the script and its lines', async () => {
    const nowhere = join(keruta.home, 'file')
    writeFileSync(nowhere, '')
    const { code, stdout, stderr } = await keruta.run(sh('echo one; exit 3'), {
      KERUTA_BASE_DIR: join(nowhere, 'base'),
      TMPDIR: join(nowhere, 'tmp'),
    })
    expect([code, String(stdout)]).toEqual([3, 'one\n'])
    expect(stderr.match(/keruta: .*/g)).toEqual([
      expect.stringMatching(/the spool \S+ cannot be written \(ENOTDIR.*lines are kept in memory/),
    ])
    expect(server.messages('t')).toEqual(['one', 'exited with code 3'])
    expect([...server.ended.values()]).toEqual([2])
  })
})

it('a spool that is deleted under a running script loses no line that can still be sent', async () => {
  server.fault = () => AWAY
  const { process: agent, ended } = keruta.start(sh('echo first; read x; echo last'))
  await vi.waitFor(() => expect(server.refused).toBeGreaterThan(0), 10_000)
  rmSync(keruta.spool, { recursive: true })
  server.fault = () => undefined
  agent.stdin!.end('\n')
  expect((await ended).code).toBe(0)
  expect(server.messages('t')).toEqual(['first', 'last'])
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0
// Without root there is no small disk to fill.
describe.runIf(canMount)('a full disk', () => {
  let disk: string
  beforeEach(() => {
    disk = join(keruta.home, '.keruta')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
  })
  afterEach(() => execFileSync('umount', ['--lazy', disk]))

  const ballast = () => join(disk, 'ballast')
  function fill(): void {
    try {
      writeFileSync(ballast(), Buffer.alloc(8 * 1024 * 1024))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
  }

  it('is made up for by memory up to a bound, then by a slower script, and nothing is lost', async () => {
    server.fault = () => AWAY
    const line = 'x'.repeat(1000)
    const { process: agent, ended } = keruta.start([
      'execute',
      '--quiet',
      '--task-id',
      't',
      ...['--', 'sh', '-c', `yes ${line} | head -n 30000 | cat -n`],
    ])
    let told = ''
    agent.stderr!.on('data', chunk => {
      told += chunk
    })
    await vi.waitFor(() => expect(told).toContain('slowed down'), 20_000)
    server.fault = () => undefined
    const { code, stderr } = await ended
    expect(code).toBe(0)
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/the spool \S+ cannot be written \(ENOSPC.*lines are kept in memory/),
      expect.stringMatching(
        /ENOSPC.*memory for lines has reached 16 MB with \d+ lines .* script is slowed down/,
      ),
      '',
    ])
    expect(server.messages('t', 'agent')).toEqual([
      expect.stringContaining('memory for lines has reached 16 MB'),
    ])
    const numbers = server.messages('t', 'stdout').map(message => Number(message.trim().split('\t')[0]))
    expect(numbers).toHaveLength(30_000)
    expect(numbers.findIndex((number, index) => number !== index + 1)).toBe(-1)
  })

  it('is used again once there is room: lines that waited in memory survive the death of the agent', async () => {
    fill()
    server.fault = () => AWAY
    const { process: agent, ended } = keruta.start(sh('echo one; echo two; read x'))
    await vi.waitFor(() => expect(server.refused).toBeGreaterThan(1), 10_000)
    rmSync(ballast())
    await vi.waitFor(() => {
      const [file] = spoolFiles(keruta.spool)
      expect(statSync(join(keruta.spool, file!)).size).toBeGreaterThan(0)
    }, 10_000)
    agent.kill('SIGKILL')
    await ended
    server.fault = () => undefined
    await keruta.run(['log', 'INFO', 'x', '--task-id', 'other'])
    expect(server.messages('t')).toEqual(['one', 'two'])
    expect(readdirSync(keruta.spool)).toEqual([])
  })

  it('that stays full says in numbers what was lost, and the end of the task is still known', async () => {
    fill()
    server.fault = () => AWAY
    const { code, stderr } = await keruta.run([
      'execute',
      '--quiet',
      '--task-id',
      't',
      '--drain-timeout',
      '300ms',
      ...['--', 'sh', '-c', 'echo one; echo two'],
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /2 lines and the end of task t could not be delivered in time: lost because .*ENOSPC/,
    )
  })
})
