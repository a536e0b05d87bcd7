import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { missingProgram } from './debian.ts'
import { freePort } from './free-port.ts'

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

/** @returns why it cannot be had, or nothing */
export function missingRedisServer(): Promise<string | undefined> {
  return missingProgram('redis-server')
}
