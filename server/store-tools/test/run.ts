import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../main.ts')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts a command of `store` as a process of its own. */
export function startStore(args: string[], environment: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...environment },
  })
}

export async function runStore(args: string[], environment: Record<string, string> = {}): Promise<Ended> {
  const child = startStore(args, environment)
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout!.on('data', chunk => {
    ended.stdout += chunk
  })
  child.stderr!.on('data', chunk => {
    ended.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { ...ended, code }
}
