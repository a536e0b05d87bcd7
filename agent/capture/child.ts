import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { closeWriters, makePipes, type Pipe, readPipe } from './pipe.ts'

export interface ChildSpec {
  file: string
  args: string[]
  env: Record<string, string | undefined>
  cwd?: string
  /** `inherit`: this process's own; `ignore`: there is nothing to read. */
  stdin: 'inherit' | 'ignore'
}

export interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
  /** Processes that the child left behind still held its output when reading was given up. */
  abandoned: boolean
}

export type OutputSource = 0 | 1

/** How long the child's output is read on after its exit while others hold it open. */
const ORPHAN_QUIET_MS = 1000
const ORPHAN_LIMIT_MS = 5000

/** A running script, in a process group of its own. */
export class Child {
  readonly #process: ChildProcess
  readonly #sockets: Socket[]
  readonly #ended = Promise.withResolvers<ChildEnd>()
  readonly #pauses = new Set<string>()
  #open = 2
  #exit: { code: number | null; signal: NodeJS.Signals | null; at: number } | undefined
  #heardAt = performance.now()
  #watch: NodeJS.Timeout | undefined

  /**
   * @param onChunk bytes in the order they were read; good until it returns
   * @throws the system's error where it cannot be started
   */
  static start(spec: ChildSpec, onChunk: (source: OutputSource, chunk: Buffer) => void): Promise<Child> {
    const pipes = makePipes(2)
    const child = spawn(spec.file, spec.args, {
      env: spec.env as NodeJS.ProcessEnv,
      cwd: spec.cwd,
      stdio: pipes ? [spec.stdin, pipes[0]!.writeFd, pipes[1]!.writeFd] : [spec.stdin, 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    if (pipes) closeWriters(pipes)
    const started = new Child(child, pipes, onChunk)
    return new Promise((resolve, reject) => {
      child.once('spawn', () => resolve(started))
      child.once('error', error => {
        started.#destroy()
        reject(error)
      })
    })
  }

  private constructor(
    child: ChildProcess,
    pipes: Pipe[] | undefined,
    onChunk: (source: OutputSource, chunk: Buffer) => void,
  ) {
    this.#process = child
    const heard = (source: OutputSource) => (chunk: Buffer) => {
      this.#heardAt = performance.now()
      onChunk(source, chunk)
    }
    const sources: OutputSource[] = [0, 1]
    this.#sockets = sources.map(source => {
      if (pipes) return readPipe(pipes[source]!.readFd, heard(source), () => this.#onEnd())
      const socket = (source === 0 ? child.stdout : child.stderr) as Socket
      return socket.on('data', heard(source)).on('end', () => this.#onEnd())
    })
    child.on('exit', (code, signal) => {
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
  }
}
