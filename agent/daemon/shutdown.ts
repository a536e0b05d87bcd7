/** How a daemon is asked to end: first it may finish what it does, within the grace time; then, or asked again, it may not. */
export class Shutdown {
  readonly #graceMs: number
  readonly #asked = new AbortController()
  readonly #over = new AbortController()
  readonly #leave = new AbortController()
  #reason = ''
  #timer: NodeJS.Timeout | undefined

  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  /** Fires when no further task is to be taken. */
  get asked(): AbortSignal {
    return this.#asked.signal
  }

  /** Fires when the running task is to be stopped and handed back. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Fires when what the server does not take is to be left to the spool. */
  get leave(): AbortSignal {
    return this.#leave.signal
  }

  /** Who asked. */
  get reason(): string {
    return this.#reason
  }

  /** @param now without any grace */
  ask(reason: string, now: boolean): void {
    const again = this.#asked.signal.aborted
    if (!again) this.#reason = reason
    this.#asked.abort()
    if (now || again) this.#end()
    else this.#timer = setTimeout(() => this.#end(), this.#graceMs).unref()
  }

  #end(): void {
    clearTimeout(this.#timer)
    if (this.#over.signal.aborted) this.#leave.abort()
    this.#over.abort()
    this.#timer = setTimeout(() => this.#leave.abort(), CHILD_GRACE_MS + TELL_MS).unref()
  }
}

/** Between SIGTERM and SIGKILL to a script that is handed back. */
export const CHILD_GRACE_MS = 5000
/** For telling the server. */
const TELL_MS = 5000
