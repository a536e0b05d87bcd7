import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Installs Debian's package of a program where that may be.
 * @param name of the program, and of its package
 * @returns why it cannot be had, or nothing
 */
export async function missingProgram(name: string): Promise<string | undefined> {
  if (onPath(name)) return undefined
  if (process.getuid?.() !== 0 || !onPath('apt-get') || !onPath('flock'))
    return `${name} was not found: install it (Debian: apt-get install ${name})`
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 4 * 60_000 }
  const install = `command -v ${name} || { apt-get update && apt-get install -y --no-install-recommends ${name}; }`
  try {
    // Test files run beside one another, and apt-get waits for no other.
    await run('flock', [join(tmpdir(), 'keruta-apt-get.lock'), 'sh', '-c', install], options)
  } catch (error) {
    return `${name} could not be installed: ${(error as Error).message.split('\n')[0]}`
  }
  return onPath(name) ? undefined : `${name} was installed, but is not found`
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, program)))
}
