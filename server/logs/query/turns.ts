/** Ends a turn of work where it has lasted long enough; what it returns is to be awaited. */
export type Turn = () => Promise<void> | undefined

const TURN_MS = 2

/**
 * Lets many long requests share one thread: each works for about 2 ms, then waits for its next turn. Between two turns the event loop
 * goes round, so that a new request is begun at once however many long ones there are.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** For one request. */
  begin(): Turn {
    let since = performance.now()
    return () => {
      if (performance.now() - since < TURN_MS) return undefined
      return this.#next().then(() => {
        since = performance.now()
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
