/** Messages a second, with bursts of one second's worth. `perSecond` 0 means no limit. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #now: () => number
  #tokens: number
  #at: number

  /** @param now a clock in ms that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#tokens = perSecond
    this.#at = now()
  }

  /** Takes one token. @returns 0 where there was one, else after how many ms there will be */
  take(): number {
    if (this.#perSecond === 0) return 0
    const now = this.#now()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }
}
