import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'

let server: TestServer
let keruta: Keruta
beforeAll(async () => {
  server = await TestServer.start()
  await server.post('/sessions', { id: 'nightly-session', name: 'Nightly' })
  await server.post('/tasks', { id: 'build-1', name: 'Build' })
  await server.post('/tasks', { id: 'build-2', name: 'evil \t$(touch x)\n`y`' })
  await server.post('/tasks/build-2/start', {})
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
})
afterEach(() => keruta.clean())

const isHere = (shell: string) => spawnSync(shell, ['-c', ':']).status === 0
const script = async (shell: string) => String((await keruta.run(['completion', shell])).stdout)

async function candidates(words: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await keruta.run(['completion', 'candidates', '--', ...words], env)
  expect([code, stderr]).toEqual([0, ''])
  return String(stdout).split('\n').filter(Boolean)
}
const words = async (...typed: string[]) => (await candidates(typed)).map(line => line.split('\t')[0])

describe('candidates', () => {
  it('are commands, subcommands and options, with what each does', async () => {
    expect(await candidates(['lo'])).toEqual([
      "log\tadd an entry, or stdin's lines, to a task's log",
      "logs\tread a task's log, also live",
    ])
    expect(await words('tasks', 'c')).toEqual(['create', 'cancel'])
    expect(await words('--api-url', 'tasks', 'logs', '--fo')).toEqual(['--follow', '--format'])
    expect(await words('tasks', 'create', '--max')).toEqual(['--max-attempts'])
  })

  it('are the values of an option, also the next one of a list, and files where a file is wanted', async () => {
    expect(await words('logs', 't', '--level', 'INFO,W')).toEqual(['INFO,WARN'])
    expect(await words('logs', '--format=c')).toEqual(['--format=csv'])
    expect(await words('sessions', 'list', '--status', 'A')).toEqual(['ACTIVE', 'ARCHIVED'])
    expect(await words('config', 'set', 'api.u')).toEqual(['api.url'])
    expect(await words('tasks', 'create', '--script', '')).toEqual([':files'])
    expect(await words('execute', '--', 'ma')).toEqual([':files'])
  })

  it('are the ids of the server, those that the command could do something with', async () => {
    expect(await candidates(['logs', 'build'])).toEqual([
      'build-2\tPROCESSING evil $(touch x) `y`',
      'build-1\tPENDING Build',
    ])
    expect(await words('input', '')).toEqual(['build-2'])
    expect(await words('tasks', 'delete', '')).toEqual(['build-1'])
    expect(await words('daemon', '--session-id', '')).toEqual(['nightly-session'])
    expect(await words('sessions', 'show', 'night')).toEqual(['nightly-session'])
  })

  it('are silently none where the server does not answer, or refuses', async () => {
    expect(await candidates(['logs', ''], { KERUTA_API_URL: 'http://127.0.0.1:1' })).toEqual([])
    expect(await candidates(['logs', ''], { KERUTA_API_TOKEN: 'wrong' })).toEqual([])
    expect(await words('logs', '--api-url', 'http://127.0.0.1:1', '')).toEqual([])
    expect(await words('nonsense', 'b')).toEqual([])
  })
})

describe.runIf(isHere('bash'))('bash', () => {
  /** What bash offers for the last of these words, taken apart as bash does. */
  async function offered(...typed: string[]): Promise<string[]> {
    const bin = join(keruta.home, 'keruta')
    const main = join(import.meta.dirname, '../bin/keruta.mjs')
    writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
    chmodSync(bin, 0o755)
    const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keruta; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { HOME: keruta.home, KERUTA_API_URL: server.url, KERUTA_API_TOKEN: ADMIN_KEY }
    const answer = execFileSync(
      'bash',
      ['--norc', '-c', `set -u\n${await script('bash')}\n${ask}`, 'bash', 'keruta', ...typed],
      {
        encoding: 'utf8',
        cwd: keruta.home,
        env: { ...env, PATH: `${keruta.home}:${process.env.PATH}` } as unknown as NodeJS.ProcessEnv,
      },
    )
    return answer.split('\n').filter(Boolean)
  }

  it('offers what keruta says, of a word with = or : the part that bash asks for, and files', async () => {
    expect(await offered('lo')).toEqual(['log', 'logs'])
    expect(await offered('logs', 'build')).toEqual(['build-2', 'build-1'])
    expect(await offered('logs', '--format', '=', 'c')).toEqual(['csv'])
    expect(await offered('logs', '--format', '=')).toContain('ndjson')
    writeFileSync(join(keruta.home, 'night ly.sh'), '')
    expect(await offered('execute', 'nigh')).toEqual(['night ly.sh'])
  })

  it('completes both names of the program', async () => {
    const source = `${await script('bash')}\ncomplete -p keruta keruta-agent`
    expect(execFileSync('bash', ['-c', source], { encoding: 'utf8' }).match(/-F _keruta/g)).toHaveLength(2)
  })
})

it.each(['zsh', 'fish'].filter(isHere))('%s reads its script without an error', async shell => {
  const text = await script(shell)
  const compinit = shell === 'zsh' ? 'autoload -U compinit; compinit -u\n' : ''
  const answer = spawnSync(shell, ['-c', compinit + text], { encoding: 'utf8' })
  expect([answer.status, answer.stderr]).toEqual([0, ''])
})

it.runIf(isHere('fish'))('fish offers what keruta says', async () => {
  const bin = join(keruta.home, 'keruta')
  const main = join(import.meta.dirname, '../bin/keruta.mjs')
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(bin, 0o755)
  const env = { HOME: keruta.home, KERUTA_API_URL: server.url, KERUTA_API_TOKEN: ADMIN_KEY }
  const answer = execFileSync('fish', ['-c', `${await script('fish')}\ncomplete -C 'keruta logs build'`], {
    encoding: 'utf8',
    env: { ...env, PATH: `${keruta.home}:${process.env.PATH}` } as unknown as NodeJS.ProcessEnv,
  })
  expect(answer.split('\n').map(line => line.split('\t')[0])).toEqual(
    expect.arrayContaining(['build-1', 'build-2']),
  )
})

it('an unknown shell is answered with those that there are', async () => {
  const { code, stderr } = await keruta.run(['completion', 'zhs'])
  expect([code, stderr]).toEqual([2, 'keruta: unknown shell "zhs": bash, zsh or fish; did you mean zsh?\n'])
})
