import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Keruta } from './keruta.ts'

let keruta: Keruta
beforeEach(() => {
  keruta = new Keruta('http://127.0.0.1:1')
})
afterEach(() => keruta.clean())

const script = async (shell: string) => String((await keruta.run(['completion', shell])).stdout)
const isHere = (shell: string) => spawnSync(shell, ['-c', ':']).status === 0

describe.runIf(isHere('bash'))('completion for bash', () => {
  /** What bash offers for the last of these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keruta; printf '%s\\n' "\${COMPREPLY[@]}"`
    const source = `set -u\n${await script('bash')}\n${ask}`
    const answer = execFileSync('bash', ['-c', source, 'bash', ...words], {
      encoding: 'utf8',
      cwd: keruta.home,
    })
    return answer.split('\n').filter(Boolean)
  }

  it('offers commands, their options, and files', async () => {
    expect(await offered('keruta', 'lo')).toEqual(['log', 'logs'])
    expect(await offered('keruta', 'logs', '--fo')).toEqual(['--follow', '--format'])
    expect(await offered('keruta', 'execute', '--drain')).toEqual(['--drain-timeout'])
    execFileSync('touch', ['nightly.sh'], { cwd: keruta.home })
    expect(await offered('keruta', 'execute', 'nigh')).toEqual(['nightly.sh'])
  })

  it('stands for both names of the program', async () => {
    const source = `${await script('bash')}\ncomplete -p keruta keruta-agent`
    expect(execFileSync('bash', ['-c', source], { encoding: 'utf8' }).match(/-F _keruta/g)).toHaveLength(2)
  })
})

it.each(['zsh', 'fish'].filter(isHere))('completion for %s is read without an error', async shell => {
  const text = await script(shell)
  const compinit = shell === 'zsh' ? 'autoload -U compinit; compinit -u\n' : ''
  execFileSync(shell, ['-c', compinit + text], { stdio: 'pipe' })
})

it.each(['bash', 'zsh', 'fish'])('completion for %s names every command and its options', async shell => {
  const text = await script(shell)
  for (const word of ['execute', 'progress', 'tasks', 'logs', 'drain-timeout', 'metadata', 'api-url'])
    expect(text).toContain(word)
})

it('completion for an unknown shell names those there are', async () => {
  const { code, stderr } = await keruta.run(['completion', 'tcsh'])
  expect([code, stderr]).toEqual([2, 'keruta: unknown shell "tcsh": bash, zsh or fish\n'])
})
