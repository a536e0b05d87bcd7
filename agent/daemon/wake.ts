/** Lets a loop sleep until something happens, without missing what happened while it was awake. */
export class Wake {
  #news = false
  #resolve: () => void = () => {}

  wake(): void {
    this.#news = true
    this.#resolve()
  }

  /** Resolves after `ms`, or as soon as there is news that came since the last time. */
  async sleep(ms: number): Promise<void> {
    if (!this.#news) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#resolve = resolve
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
    }
    this.#news = false
  }
}
