import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'
import { until } from './until.ts'

const cli = join(import.meta.dirname, '../../agent/bin/keruta.mjs')

export interface AgentOptions {
  server: TestServer
  /** Where the agent finds the server; default its own address. */
  url?: string
  /** Default: the server's temporary folder. */
  home?: string
}

/** A real agent as a process of its own. Its home, with its spool, lies in the server's temporary folder. */
export class Agent {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  errors = ''

  constructor({ server, url = server.url, home = server.home }: AgentOptions, ...args: string[]) {
    this.child = spawn(process.execPath, [cli, ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
      cwd: home,
      env: {
        NODE_ENV: 'production',
        PATH: process.env.PATH,
        HOME: home,
        KERUTA_API_URL: url,
        KERUTA_API_KEY: ADMIN_KEY,
      },
    })
    this.child.stderr!.on('data', chunk => {
      this.errors += chunk
    })
    this.child.stdin!.on('error', () => {})
    this.ended = once(this.child, 'close').then(([code]) => code)
  }

  /** @throws with what the agent said where it ends in another way than with `code` */
  async endsWith(code: number): Promise<void> {
    const actual = await this.ended
    if (actual !== code) throw new Error(`the agent ended with ${actual} instead of ${code}:\n${this.errors}`)
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

/** `keruta execute` with a child that prints numbered lines on order. */
export class NumberedTask {
  readonly agent: Agent
  readonly #control: Socket
  #printed = 0

  private constructor(agent: Agent, control: Socket) {
    this.agent = agent
    this.#control = control
    control.on('error', () => {}) // the child may be killed
    control.on('data', data => {
      for (const [, to] of String(data).matchAll(/printed (\d+)\n/g)) this.#printed = Number(to)
    })
  }

  static async start(options: AgentOptions, taskId: string): Promise<NumberedTask> {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as { port: number }
    const printer = join(import.meta.dirname, 'printer.mjs')
    const agent = new Agent(
      options,
      'execute',
      '--task-id',
      taskId,
      '--quiet',
      '--',
      process.execPath,
      printer,
      String(port),
    )
    const failed = agent.ended.then(code =>
      Promise.reject(new Error(`execute ended with ${code}:\n${agent.errors}`)),
    )
    failed.catch(() => {})
    const [control] = (await Promise.race([once(listener, 'connection'), failed])) as [Socket]
    listener.close()
    return new NumberedTask(agent, control)
  }

  /** Prints the lines up to this number; does not wait. */
  print(to: number): void {
    this.#control.write(`print ${to}\n`)
  }

  async printed(to: number): Promise<void> {
    await until(`the child has printed line ${to}`, () => this.#printed >= to)
  }

  /** Ends the child; resolves when the agent has ended as well. @throws where it passes on another exit code */
  async exit(code = 0): Promise<void> {
    this.#control.write(`exit ${code}\n`)
    await this.agent.endsWith(code)
  }

  async dispose(): Promise<void> {
    this.#control.destroy()
    await this.agent.kill()
  }
}
