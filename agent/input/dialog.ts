import type { Child } from '../capture/child.ts'
import type { ChildInput } from '../capture/child-input.ts'
import type { OutputSource } from '../capture/stdio.ts'
import { hidesInput } from '../pty/terminal.ts'
import { readingOf } from './reading.ts'
import { type WaitingState, WaitingWatch } from './waiting-watch.ts'

/** What somebody sends to a script. */
export interface GivenInput {
  /** With its line's end. */
  text: string
  /** After `text`, input ends. */
  eof: boolean
  secret: boolean
  /** Who it is from, for the log. */
  by: string
}

/** As the server sends it. */
export interface ServerInput extends GivenInput {
  id: string
}

export interface DialogEvents {
  /** Something for the task's log. @param level position in LEVELS */
  say(level: number, message: string): void
  /** A value that nobody is to see from now on. */
  hide(text: string): void
  /** The server can forget this input. */
  taken(id: string): void
  /** The script waits; or, `undefined`, goes on. */
  waiting(state: WaitingState | undefined): void
}

const INFO = 1
const WARN = 2
const MAX_SHOWN = 1000

/** Between a script that reads its stdin and those who answer it. */
export class Dialog {
  readonly #events: DialogEvents
  /** Inputs of the server, and whether each has been dealt with. */
  readonly #seen = new Map<string, boolean>()
  #input = newInput()
  #last: Promise<unknown> = Promise.resolve()
  #watch: WaitingWatch | undefined
  #unread = 0
  #ended = false

  constructor(events: DialogEvents) {
    this.#events = events
  }

  /** A script runs. @param terminal its path, where it has one */
  attach({ pid, input }: Child, terminal: string | undefined): void {
    if (!input) return
    this.#input.resolve(input)
    this.#watch = new WaitingWatch({
      look: () => readingOf(pid, input.identity),
      hidden: async () => (terminal === undefined ? undefined : hidesInput(terminal)),
      report: state => this.#events.waiting(state),
    })
  }

  /** It has ended; what comes now is for the next. */
  detach(): void {
    this.#watch?.stop()
    this.#input = newInput()
  }

  /** The script printed something. @param chunk good until this returns */
  heard(source: OutputSource, chunk: Buffer): void {
    this.#watch?.heard(source, chunk)
  }

  /** Input from the server, which sends it again until it hears that it was taken. */
  take({ id, ...input }: ServerInput): void {
    const taken = () => {
      this.#seen.set(id, true)
      this.#events.taken(id)
    }
    if (this.#seen.get(id)) taken()
    if (this.#seen.has(id)) return
    this.#seen.set(id, false)
    this.give(input).then(taken, taken)
  }

  /**
   * Gives input to the script, after what was given before; the log says so. Resolves when the script can read it.
   * @throws Error that says why it takes none
   */
  give(input: GivenInput): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the script has ended'))
    if (input.secret) this.#events.hide(input.text)
    this.#unread++
    const given = this.#last.then(async () => {
      const target = await this.#input.promise
      this.#sayGiven(input)
      try {
        await this.#write(target, input.text, input.eof)
      } catch (error) {
        const message = `input by ${input.by} did not reach the script: ${(error as Error).message}`
        if (!this.#ended) this.#events.say(WARN, message)
        throw error
      } finally {
        this.#unread--
      }
    })
    this.#last = given.catch(() => {})
    return given
  }

  /** What the operator types; the log does not say so. */
  async type(bytes: Buffer, eof: boolean): Promise<void> {
    await this.#write(await this.#input.promise, bytes, eof)
  }

  /** None follows. */
  end(): void {
    this.#ended = true
    this.#input.reject(new Error('it has ended'))
    if (this.#unread > 0)
      this.#events.say(WARN, `the script has ended and left ${this.#unread} inputs that it did not read`)
  }

  async #write(target: ChildInput, text: string | Buffer, eof: boolean): Promise<void> {
    await target.write(text)
    if (eof) await target.end()
    this.#watch?.answered()
  }

  #sayGiven({ text, eof, secret, by }: GivenInput): void {
    const lines = secret ? ['***'] : text.replace(/\n$/, '').split('\n')
    for (const line of text === '' ? [] : lines) {
      const shown = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
      this.#events.say(INFO, `input by ${by}: ${shown}`)
    }
    if (eof) this.#events.say(INFO, `end of input by ${by}`)
  }
}

function newInput(): PromiseWithResolvers<ChildInput> {
  const input = Promise.withResolvers<ChildInput>()
  // Nobody may be waiting for it.
  input.promise.catch(() => {})
  return input
}
