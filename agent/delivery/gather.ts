/** Goes on at once. */
const MOST_BYTES = 256 * 1024
const MOST_MS = 5

/**
 * Says when to hand on what comes in quick succession: once a turn of the event loop has brought no more, and before it is much or
 * old. So a flood goes in large pieces, and a single line without delay.
 */
export class Gather {
  readonly #handOn: () => void
  #scheduled: NodeJS.Immediate | undefined
  #bytes = 0
  /** As many as there were a turn ago. */
  #bytesBefore = 0
  #since = 0

  /** @param handOn what has come; called in a turn of its own, or within `add` */
  constructor(handOn: () => void) {
    this.#handOn = handOn
  }

  /** So many bytes have come. */
  add(bytes: number): void {
    if (this.#bytes === 0) {
      this.#since = performance.now()
      this.#bytesBefore = 0
    }
    this.#bytes += bytes
    if (this.#bytes >= MOST_BYTES) this.#now()
    else this.#scheduled ??= setImmediate(() => this.#turn())
  }

  #now(): void {
    this.#bytes = 0
    this.#handOn()
  }

  #turn(): void {
    this.#scheduled = undefined
    if (this.#bytes === 0) return
    if (this.#bytes === this.#bytesBefore || performance.now() - this.#since >= MOST_MS) {
      this.#now()
      return
    }
    this.#bytesBefore = this.#bytes
    this.#scheduled = setImmediate(() => this.#turn())
  }
}
