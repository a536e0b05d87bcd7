import { strict as assert } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingProgram } from './debian.ts'
import { freePort } from './free-port.ts'

const deployed = join(import.meta.dirname, '../../deploy/nginx.conf')

/** A real nginx with `deploy/nginx.conf`, in which only addresses and folders are others. */
export class Nginx {
  readonly #home: string
  readonly #port: number
  #process: ChildProcess | undefined
  #output = ''

  private constructor(home: string, port: number) {
    this.#home = home
    this.#port = port
  }

  /**
   * @param servers `http://host:port` of the two that it stands before
   * @throws where it is not to be had; see `missingNginx`
   */
  static async start(servers: [string, string]): Promise<Nginx> {
    const nginx = new Nginx(await mkdtemp(join(tmpdir(), 'keruta-nginx-')), await freePort())
    await mkdir(join(nginx.#home, 'temp'))
    await writeFile(join(nginx.#home, 'nginx.conf'), await nginx.#configuration(servers))
    try {
      await nginx.start()
    } catch (error) {
      await nginx.dispose()
      throw error
    }
    return nginx
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Requests that are over, a line each, which ends with the servers that were asked. */
  async accessLog(): Promise<string[]> {
    return (await readFile(join(this.#home, 'access.log'), 'utf8')).split('\n').filter(Boolean)
  }

  /** What it complained of. */
  get output(): string {
    return this.#output
  }

  /** Starts it again after `stop`, at the same address. */
  async start(): Promise<void> {
    this.#output = ''
    const user = process.getuid?.() === 0 ? 'user root; ' : ''
    const own = `${user}daemon off; pid ${this.#home}/nginx.pid; error_log stderr notice;`
    const args = ['-p', this.#home, '-e', 'stderr', '-c', join(this.#home, 'nginx.conf'), '-g', own]
    const child = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#output += chunk
    })
    await this.#says(/start worker process \d+/)
  }

  /** As an operator does after a change of the configuration. */
  async reload(): Promise<void> {
    this.#output = ''
    this.#process!.kill('SIGHUP')
    await this.#says(/start worker process \d+/)
  }

  /** At once, with all connections. */
  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }

  async dispose(): Promise<void> {
    await this.stop()
    await rm(this.#home, { recursive: true, force: true })
  }

  async #configuration(servers: [string, string]): Promise<string> {
    let text = await readFile(deployed, 'utf8')
    const replace = (what: string, by: string) => {
      assert(text.includes(what), `deploy/nginx.conf has no ${what}`)
      text = text.replaceAll(what, by)
    }
    replace('listen 8080;', `listen 127.0.0.1:${this.#port};`)
    for (const [index, url] of servers.entries()) replace(`server-${index + 1}:8080`, new URL(url).host)
    replace('/var/log/nginx/', `${this.#home}/`)
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    replace(
      'http {',
      ['http {', ...kinds.map(kind => `${kind}_temp_path ${this.#home}/temp/${kind};`)].join('\n'),
    )
    return text
  }

  async #says(what: RegExp): Promise<void> {
    const child = this.#process!
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (what.test(this.#output)) resolve()
      }
      child.stderr!.on('data', look)
      child.once('close', () => reject(new Error(`nginx ended:\n${this.#output}`)))
      child.once('error', reject)
      look()
    })
  }
}

/** @returns why it cannot be had, or nothing */
export function missingNginx(): Promise<string | undefined> {
  return missingProgram('nginx')
}
