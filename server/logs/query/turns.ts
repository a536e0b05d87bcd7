/** Ends a turn of work where it has lasted long enough; what it returns is to be awaited. */
export type Turn = () => Promise<void> | undefined

const TURN_MS = 2
/** What is short is done in its first turn and never waits behind the long. */
const FIRST_TURN_MS = 8

/**
 * Lets many long requests share one thread: each works for about 2 ms, then waits for its next turn. Between two turns the event loop
 * goes round, so that a new request is begun at once however many long ones there are.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** For one request. */
  begin(): Turn {
    let until = performance.now() + FIRST_TURN_MS
    return () => {
      if (performance.now() < until) return undefined
      return this.#next().then(() => {
        until = performance.now() + TURN_MS
      })
    }
  }

  #next(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) setImmediate(() => this.#pass())
    })
  }

  #pass(): void {
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(() => this.#pass())
  }
}
