import type { OutputSource } from '../capture/stdio.ts'
import { asksForSecret, looksLikePrompt, OutputTail } from './prompt.ts'
import type { Reading } from './reading.ts'

/** What a script waits for, as the server is told. */
export interface WaitingState {
  prompt: string
  secret: boolean
}

export interface WaitingOptions {
  /** Looks what the script does about its input. */
  look(): Reading
  /** Whether its terminal hides what is typed; `undefined` where it has none. */
  hidden(): Promise<boolean | undefined>
  /** It waits; or, `undefined`, it goes on. */
  report(waiting: WaitingState | undefined): void
}

/** Nobody looks at a script that printed something within this time. */
const SILENCE_MS = 100
/** Where only the words of its last line tell, and where not even the system does. */
const LISTENS_MS = 300
const UNKNOWN_MS = 1000
const LONGEST_MS = 2000
const LONGEST_WAITING_MS = 1000
/** A script's many processes are looked at so seldom that it costs no more than a hundredth of a core. */
const REST = 100

/** Finds out when a script waits for input: looks while it is silent, ever more seldom. */
export class WaitingWatch {
  readonly #options: WaitingOptions
  readonly #tail = new OutputTail()
  #heardAt = performance.now()
  #delay = SILENCE_MS
  #dueAt = 0
  #timer: NodeJS.Timeout | undefined
  #told: WaitingState | undefined
  /** What was found is out of date: the script has been answered. */
  #answers = 0
  #stopped = false

  constructor(options: WaitingOptions) {
    this.#options = options
    this.#lookIn(SILENCE_MS)
  }

  /** It printed something. @param chunk good until this returns */
  heard(source: OutputSource, chunk: Buffer): void {
    this.#tail.add(source, chunk)
    this.#heardAt = performance.now()
    this.#soon()
  }

  /** It was given something. */
  answered(): void {
    this.#answers++
    this.#tail.clear()
    this.#tell(undefined)
    this.#soon()
  }

  /** It has ended. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#tell(undefined)
  }

  #soon(): void {
    if (this.#stopped) return
    this.#delay = SILENCE_MS
    if (this.#dueAt - performance.now() > SILENCE_MS) this.#lookIn(SILENCE_MS)
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#dueAt = performance.now() + ms
    this.#timer = setTimeout(() => void this.#look(), ms)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const startedAt = performance.now()
    const silence = startedAt - this.#heardAt
    if (silence < SILENCE_MS && !this.#told) return this.#lookIn(SILENCE_MS - silence)
    const answers = this.#answers
    const waits = this.#waits(this.#options.look(), silence)
    const cost = performance.now() - startedAt
    const state = waits ? await this.#state() : undefined
    if (this.#stopped) return
    if (answers === this.#answers) this.#tell(state)
    this.#delay = Math.min(this.#delay * 2, waits ? LONGEST_WAITING_MS : LONGEST_MS)
    this.#lookIn(Math.max(this.#delay, cost * REST))
  }

  #waits(reading: Reading, silence: number): boolean {
    if (reading === 'reads') return true
    const enough = reading === 'listens' ? LISTENS_MS : reading === 'unknown' ? UNKNOWN_MS : undefined
    if (enough === undefined || !looksLikePrompt(this.#tail.openLine)) return false
    return silence >= enough || this.#told !== undefined
  }

  async #state(): Promise<WaitingState> {
    const { prompt } = this.#tail
    if (prompt === this.#told?.prompt) return this.#told
    return { prompt, secret: (await this.#options.hidden()) || asksForSecret(prompt) }
  }

  #tell(state: WaitingState | undefined): void {
    if (state?.prompt === this.#told?.prompt && state?.secret === this.#told?.secret) return
    this.#told = state
    this.#options.report(state)
  }
}
