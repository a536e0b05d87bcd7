import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'

const cli = join(import.meta.dirname, '../agent/bin/keruta.mjs')

export interface Run {
  child: ChildProcess
  /** Resolves when the program has ended. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Runs the real CLI against a server. */
export function keruta(server: TestServer, ...args: string[]): Run {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: server.home,
    env: {
      NODE_ENV: 'production',
      PATH: process.env.PATH,
      HOME: server.home,
      KERUTA_API_URL: server.url,
      KERUTA_API_KEY: ADMIN_KEY,
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, stdout, stderr })) }
}

/** A real child process of `keruta execute` that prints what the test tells it to, when it tells it to. */
export class Script {
  readonly #socket: Socket
  readonly #run: Run

  private constructor(socket: Socket, run: Run) {
    this.#socket = socket
    this.#run = run
  }

  static async start(server: TestServer, taskId: string): Promise<Script> {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const program = `let rest = ''
    require('net').connect(${address.port}, '127.0.0.1').on('data', data => {
      const orders = (rest + data).split('\\n')
      rest = orders.pop()
      for (const order of orders) {
        const [to, text] = JSON.parse(order)
        to === 'exit' ? process.exit(text) : process[to].write(text)
      }
    })`
    const run = keruta(server, 'execute', '--task-id', taskId, '--', process.execPath, '-e', program)
    const failed = run.ended.then(result =>
      Promise.reject(new Error(`execute ended early: ${result.stderr}`)),
    )
    const [socket] = (await Promise.race([once(listener, 'connection'), failed])) as [Socket]
    failed.catch(() => {})
    listener.close()
    socket.on('error', () => {}) // the script ends without a goodbye
    return new Script(socket, run)
  }

  print(...lines: string[]): void {
    this.#order('stdout', lines.map(line => `${line}\n`).join(''))
  }

  printError(...lines: string[]): void {
    this.#order('stderr', lines.map(line => `${line}\n`).join(''))
  }

  /** Ends the script; resolves with what `keruta execute` left. */
  async exit(code = 0): Promise<{ code: number | null; stdout: string; stderr: string }> {
    this.#order('exit', code)
    return this.#run.ended
  }

  /** Resolves when the script has ended by itself. */
  ended() {
    return this.#run.ended
  }

  kill(): void {
    this.#run.child.kill('SIGKILL')
    this.#socket.destroy()
  }

  #order(to: string, text: string | number): void {
    this.#socket.write(`${JSON.stringify([to, text])}\n`)
  }
}
