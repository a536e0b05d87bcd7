import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { closeTerminal, type Terminal } from '../pty/terminal.ts'
import { checkProgram } from './check-program.ts'
import type { ChildInput } from './child-input.ts'
import { type OutputSource, openPipes, type Stdin, type Stdio } from './stdio.ts'
import { openTerminalStdio } from './terminal-stdio.ts'

export interface ChildSpec {
  file: string
  args: string[]
  env: Record<string, string | undefined>
  cwd?: string
  stdin: Stdin
  /** What it prints to; where its stdin is held, this is its terminal in everything. */
  terminal?: Terminal
}

export interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
  /** Processes that the child left behind still held its output when reading was given up. */
  abandoned: boolean
}

/** How long the child's output is read on after its exit while others hold it open. */
const ORPHAN_QUIET_MS = 1000
const ORPHAN_LIMIT_MS = 5000

/** A running script, in a process group of its own. */
export class Child {
  readonly #process: ChildProcess
  readonly #sockets: Socket[]
  /** Its stdin, where that is held. */
  readonly input: ChildInput | undefined
  readonly #ended = Promise.withResolvers<ChildEnd>()
  readonly #pauses = new Set<string>()
  #open: number
  #exit: { code: number | null; signal: NodeJS.Signals | null; at: number } | undefined
  #heardAt = performance.now()
  #watch: NodeJS.Timeout | undefined

  /**
   * @param onChunk bytes in the order they were read; good until it returns
   * @throws the system's error where it cannot be started
   */
  static async start(
    spec: ChildSpec,
    onChunk: (source: OutputSource, chunk: Buffer) => void,
  ): Promise<Child> {
    checkTerminal(spec)
    const stdio = spec.terminal ? openTerminalStdio(spec.terminal, spec.stdin) : openPipes(spec.stdin)
    const { file, args } = inTerminal(spec)
    const child = spawn(file, args, {
      env: spec.env as NodeJS.ProcessEnv,
      cwd: spec.cwd,
      stdio: stdio.handles,
      detached: process.platform !== 'win32',
    })
    stdio.handOver()
    const started = new Child(child, stdio, onChunk)
    return new Promise((resolve, reject) => {
      child.once('spawn', () => resolve(started))
      child.once('error', error => {
        stdio.release()
        started.#destroy()
        reject(error)
      })
    })
  }

  private constructor(
    child: ChildProcess,
    stdio: Stdio,
    onChunk: (source: OutputSource, chunk: Buffer) => void,
  ) {
    this.#process = child
    this.input = stdio.input(child)
    const heard = (source: OutputSource, chunk: Buffer) => {
      this.#heardAt = performance.now()
      onChunk(source, chunk)
    }
    this.#sockets = stdio.read(child, heard, () => this.#onEnd())
    this.#open = this.#sockets.length
    child.on('exit', (code, signal) => {
      stdio.release()
      this.#exit = { code, signal, at: performance.now() }
      if (this.#open === 0) return this.#finish(false)
      this.#watch = setInterval(() => this.#checkOrphans(), 100)
    })
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** Resolves when it has exited and all its output has been read. */
  get ended(): Promise<ChildEnd> {
    return this.#ended.promise
  }

  /** Sends a signal to its whole process group. */
  kill(signal: NodeJS.Signals): void {
    try {
      if (process.platform === 'win32') this.#process.kill(signal)
      else process.kill(-this.pid, signal)
    } catch {
      // It has gone already.
    }
  }

  /** Stops reading for a reason, until no reason is left. */
  pause(reason: string, stop: boolean): void {
    if (stop) this.#pauses.add(reason)
    else this.#pauses.delete(reason)
    for (const socket of this.#sockets) {
      if (this.#pauses.size > 0) socket.pause()
      else socket.resume()
    }
    this.#heardAt = performance.now()
  }

  /** Whether reading is stopped. */
  get paused(): boolean {
    return this.#pauses.size > 0
  }

  #onEnd(): void {
    this.#open--
    if (this.#open === 0 && this.#exit) this.#finish(false)
  }

  #checkOrphans(): void {
    const now = performance.now()
    if (this.#pauses.size > 0) return
    const quiet = now - Math.max(this.#heardAt, this.#exit!.at) > ORPHAN_QUIET_MS
    if (quiet || now - this.#exit!.at > ORPHAN_LIMIT_MS) this.#finish(true)
  }

  #finish(abandoned: boolean): void {
    clearInterval(this.#watch)
    this.#destroy()
    const { code, signal } = this.#exit!
    this.#ended.resolve({ code, signal, abandoned })
  }

  #destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.input?.destroy()
  }
}

/** In a terminal, a shell would say itself that there is no such program. */
function checkTerminal({ file, env, cwd, terminal }: ChildSpec): void {
  if (!terminal) return
  try {
    checkProgram(file, env.PATH, cwd)
  } catch (error) {
    closeTerminal(terminal)
    throw error
  }
}

/** In a terminal that is to be its own: a process gets that by opening it, as the first of its session. */
function inTerminal({ file, args, stdin, terminal }: ChildSpec): Pick<ChildSpec, 'file' | 'args'> {
  if (!terminal || stdin !== 'hold') return { file, args }
  return { file: 'sh', args: ['-c', ': <"$1"; shift; exec "$@"', 'sh', terminal.path, file, ...args] }
}
