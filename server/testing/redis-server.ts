import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A Redis as a process of its own, in memory only, on a free port. */
export class RedisServer {
  readonly #port: number
  readonly #password: string | undefined
  #process: ChildProcess | undefined

  private constructor(port: number, password: string | undefined) {
    this.#port = port
    this.#password = password
  }

  /** @throws where it is not to be had; see `missingRedisServer` */
  static async start({ password }: { password?: string } = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), password)
    await server.start()
    return server
  }

  /** Without the password. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Starts it again after `kill`, on the same port. */
  async start(): Promise<void> {
    const args = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    if (this.#password) args.push('--requirepass', this.#password)
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        output += chunk
        if (output.includes('Ready to accept connections')) resolve()
      })
      child.once('exit', () => reject(new Error(`Redis ended at its start:\n${output}`)))
    })
  }

  /** It answers no more, and its connections stay open. */
  stall(): void {
    this.#process?.kill('SIGSTOP')
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}

/** Installs Debian's where that may be. @returns why it cannot be had, or nothing */
export async function missingRedisServer(): Promise<string | undefined> {
  if (onPath('redis-server')) return undefined
  if (process.getuid?.() !== 0 || !onPath('apt-get'))
    return 'redis-server was not found: install it (Debian: apt-get install redis-server)'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, timeout: 4 * 60_000 }
  try {
    await run('apt-get', ['update'], options)
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], options)
  } catch (error) {
    return `redis-server could not be installed: ${(error as Error).message.split('\n')[0]}`
  }
  return onPath('redis-server') ? undefined : 'redis-server was installed, but is not found'
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, program)))
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
