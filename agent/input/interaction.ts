import type { Waiting } from '#protocol/task-calls.ts'
import type { Child, ChildSpec } from '../capture/child.ts'
import type { OutputSource, Stdin } from '../capture/stdio.ts'
import type { Environment } from '../config.ts'
import { openTerminal, resize, type Size, type Terminal } from '../pty/terminal.ts'
import { Dialog, type DialogEvents, type GivenInput, type ServerInput } from './dialog.ts'
import { hasTerminal, passStdin } from './local.ts'
import { WaitingReport } from './waiting-report.ts'

export interface InteractionOptions {
  /** Whether the server, and who calls `give`, may answer the script. */
  input: boolean
  /** Whether it is to have a terminal. */
  pty: boolean
  /** Whether this process's own stdin and terminal are its, too. */
  local: boolean
}

export interface InteractionEvents extends Omit<DialogEvents, 'waiting'> {
  /** Tells the server that the script waits, or goes on. @throws where it cannot be told */
  report(waiting: Pick<Waiting, 'prompt' | 'secret'>): Promise<unknown>
  /** There is no terminal to be had. */
  noTerminal(message: string): void
}

/** How a run's scripts are talked to: by input, in a terminal, both or neither. */
export class Interaction {
  readonly #options: InteractionOptions
  readonly #events: InteractionEvents
  readonly #dialog: Dialog | undefined
  readonly #report: WaitingReport
  #stopLocal: (() => void) | undefined
  #terminal: Terminal | undefined

  constructor(options: InteractionOptions, events: InteractionEvents) {
    this.#options = options
    this.#events = events
    this.#report = new WaitingReport(waiting => events.report(waiting))
    const waiting: DialogEvents['waiting'] = state => options.input && this.#report.tell(state)
    if (this.#stdin === 'hold') this.#dialog = new Dialog({ ...events, waiting })
  }

  /** What a child that is to be started is given. */
  prepare(env: Environment): Pick<ChildSpec, 'stdin' | 'terminal' | 'env'> {
    this.#terminal = this.#openTerminal(env)
    const term = this.#terminal && { TERM: env.TERM ?? 'xterm-256color' }
    return { stdin: this.#stdin, terminal: this.#terminal, env: { ...env, ...term } }
  }

  attach(child: Child): void {
    this.#dialog?.attach(child, this.#terminal?.path)
    if (!this.#dialog || !this.#options.local) return
    const stopStdin = passStdin(this.#dialog, this.#terminal !== undefined)
    const stopResize = this.#terminal ? followSize(this.#terminal) : () => {}
    this.#stopLocal = () => {
      stopStdin()
      stopResize()
    }
  }

  /** @param chunk good until this returns */
  heard(source: OutputSource, chunk: Buffer): void {
    this.#dialog?.heard(source, chunk)
  }

  /** The child has ended. */
  detach(): void {
    this.#stopLocal?.()
    this.#dialog?.detach()
  }

  /** The run has ended. */
  end(): void {
    this.#report.stop()
    this.#dialog?.end()
  }

  /** Input from the server. */
  take(input: ServerInput): void {
    if (this.#dialog) this.#dialog.take(input)
    else this.#events.taken(input.id)
  }

  /**
   * Gives input to the script. Resolves when the script can read it.
   * @throws Error that says why it takes none
   */
  async give(input: GivenInput): Promise<void> {
    if (!this.#dialog)
      throw new Error('this run takes no input: its agent was started without KERUTA_USE_HTTP_INPUT=true')
    await this.#dialog.give(input)
  }

  get #stdin(): Stdin {
    const { input, pty, local } = this.#options
    if (input || (pty && local && hasTerminal())) return 'hold'
    return local ? 'inherit' : 'ignore'
  }

  #openTerminal(env: Environment): Terminal | undefined {
    if (!this.#options.pty) return undefined
    try {
      return openTerminal(ownSize() ?? wantedSize(env))
    } catch (error) {
      this.#events.noTerminal(
        `there is no terminal to be had (${(error as Error).message}): the script runs without one`,
      )
      return undefined
    }
  }
}

function ownSize(): Size | undefined {
  const { columns, rows } = process.stdout
  return process.stdout.isTTY && columns > 0 && rows > 0 ? { columns, rows } : undefined
}

function wantedSize({ COLUMNS, LINES }: Environment): Size {
  return { columns: Number(COLUMNS) || 80, rows: Number(LINES) || 24 }
}

/** @returns stops */
function followSize({ path }: Terminal): () => void {
  const follow = () => {
    const size = ownSize()
    if (size) resize(path, size)
  }
  process.stdout.on('resize', follow)
  return () => process.stdout.off('resize', follow)
}
