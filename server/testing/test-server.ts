import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import nodeFlags from '../node-flags.json' with { type: 'json' }

export const ADMIN_KEY = 'kerutakey_test-admin-0123456789'

const root = join(import.meta.dirname, '../..')

/** A production server as a process of its own, for tests: a free port, an empty data folder, a known admin key. */
export class TestServer {
  readonly home: string
  readonly #environment: Record<string, string>
  #process: ChildProcess | undefined
  #output = ''
  #url = ''

  private constructor(home: string, environment: Record<string, string>) {
    this.home = home
    this.#environment = environment
  }

  /** @param environment variables besides those that every test needs */
  static async start(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = new TestServer(await mkdtemp(join(tmpdir(), 'keruta-test-')), environment)
    try {
      await server.start()
    } catch (error) {
      await server.dispose()
      throw error
    }
    return server
  }

  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.#process!.pid!
  }

  /** What the server has printed since its last start. */
  get output(): string {
    return this.#output
  }

  /** Starts it again after `stop`, on the same port. */
  async start(): Promise<void> {
    this.#output = ''
    const child = spawn(process.execPath, [...nodeFlags, 'server/main.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: this.home,
        NODE_ENV: 'production',
        PORT: this.#url ? new URL(this.#url).port : '0',
        KERUTA_DATA_DIR: join(this.home, 'data'),
        KERUTA_ADMIN_KEY: ADMIN_KEY,
        KERUTA_SERVER_LOG_LEVEL: 'warn',
        ...this.#environment,
      },
    })
    this.#process = child
    this.#url = await new Promise<string>((resolve, reject) => {
      const keep = (chunk: Buffer) => {
        this.#output += chunk
        const url = /listens on (\S+)/.exec(this.#output)?.[1]
        if (url) resolve(url)
      }
      child.stdout!.on('data', keep)
      child.stderr!.on('data', keep)
      child.once('exit', () => reject(new Error(`the server ended at its start:\n${this.#output}`)))
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  /** Stops the server and removes its data. */
  async dispose(): Promise<void> {
    await this.stop()
    await rm(this.home, { recursive: true, force: true })
  }

  /** Calls the REST API, as admin unless `headers` say otherwise. */
  async api(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      ...init.headers,
    }
    return fetch(`${this.url}/api/v1${path}`, { ...init, headers })
  }

  /** Posts JSON and reads JSON. @throws where the answer is not 2xx */
  async post<T>(path: string, body: unknown): Promise<T> {
    const answer = await this.api(path, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
}
