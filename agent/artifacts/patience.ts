import { setTimeout as pause } from 'node:timers/promises'
import { backoffMs } from '../delivery/backoff.ts'

const LONGEST_WAIT_MS = 5000
/** How long a command that somebody waits for goes on without progress. */
export const COMMAND_PATIENCE_MS = 10_000

/** How long uploads that fail are tried again: as long as any of them goes on. */
export class Patience {
  readonly #limitMs: number
  readonly #signal: AbortSignal
  #progressAt = performance.now()

  /** @param signal no more waiting */
  constructor(limitMs: number, signal: AbortSignal) {
    this.#limitMs = limitMs
    this.#signal = signal
  }

  get signal(): AbortSignal {
    return this.#signal
  }

  progress(): void {
    this.#progressAt = performance.now()
  }

  /** Waits before attempt `attempt`. @returns false where it is time to give up */
  async again(attempt: number, leastMs = 0): Promise<boolean> {
    const wait = Math.max(leastMs, backoffMs(attempt, LONGEST_WAIT_MS, Math.random()))
    if (this.#signal.aborted || performance.now() + wait - this.#progressAt > this.#limitMs) return false
    try {
      await pause(wait, undefined, { signal: this.#signal })
      return true
    } catch {
      return false
    }
  }
}
