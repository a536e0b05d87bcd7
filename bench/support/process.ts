import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** A helper program of the bench as a process of its own, which prints `listens on URL`. */
export async function startHelper(
  file: string,
  ...args: string[]
): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(root, 'bench', file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await Promise.race([once(child.stdout, 'data'), failedStart(child, file)])) as [Buffer]
  return {
    url: /listens on (\S+)/.exec(String(line))![1]!,
    pid: child.pid!,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs a program to its end; how long it took from start to end, seconds. */
export async function timeOf(
  file: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; onStart?(pid: number): void } = {},
): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: options.env,
    cwd: options.cwd,
  })
  options.onStart?.(child.pid!)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with code ${code}`)
  return (performance.now() - startedAt) / 1000
}

async function failedStart(child: ChildProcess, file: string): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`${file} ended with code ${code}`)
}
