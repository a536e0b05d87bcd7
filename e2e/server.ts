import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@playwright/test'

import nodeFlags from '../server/node-flags.json' with { type: 'json' }

export const ADMIN_KEY = 'kerutakey_e2e-admin-0123456789'

const root = join(import.meta.dirname, '..')

/** A production server as a process of its own, with an empty data folder and a known admin key. */
export class TestServer {
  readonly url: string
  readonly home: string
  readonly #port: number
  #process: ChildProcess | undefined
  #output = ''

  private constructor(port: number, home: string) {
    this.#port = port
    this.home = home
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer(await freePort(), await mkdtemp(join(tmpdir(), 'keruta-e2e-')))
    await server.start()
    return server
  }

  /** What the server has printed since its last start. */
  get output(): string {
    return this.#output
  }

  async start(): Promise<void> {
    this.#output = ''
    const child = spawn(process.execPath, [...nodeFlags, 'server/main.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: this.home,
        NODE_ENV: 'production',
        PORT: String(this.#port),
        KERUTA_DATA_DIR: join(this.home, 'data'),
        KERUTA_ADMIN_KEY: ADMIN_KEY,
      },
    })
    this.#process = child
    const keep = (chunk: Buffer) => {
      this.#output += chunk
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    await expect
      .poll(() => this.#isReady(child), { message: 'the server becomes ready', timeout: 20_000 })
      .toBe(true)
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

  /** Calls the REST API as admin. */
  async api(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      ...init.headers,
    }
    return fetch(`${this.url}/api/v1${path}`, { ...init, headers })
  }

  async post(path: string, body: unknown): Promise<unknown> {
    const answer = await this.api(path, { method: 'POST', body: JSON.stringify(body) })
    expect(answer.ok, `POST ${path}: ${answer.status}`).toBe(true)
    return answer.json()
  }

  async #isReady(child: ChildProcess): Promise<boolean> {
    if (child.exitCode !== null) throw new Error(`the server ended at its start:\n${this.#output}`)
    const answer = await fetch(`${this.url}/readyz`).catch(() => undefined)
    return answer?.ok ?? false
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
