import type { Batch } from './queue.ts'

const MOST_FRAMES = 16
const MOST_BYTES = 4 * 1024 * 1024

type Sent = Omit<Batch, 'frame'> & { bytes: number }

/** What was sent and is not yet acknowledged, in order. */
export class InFlight {
  #sent: Sent[] = []
  #bytes = 0

  get frames(): number {
    return this.#sent.length
  }

  /** Whether acknowledgements are to be waited for before more is sent. */
  get isFull(): boolean {
    return this.#sent.length >= MOST_FRAMES || this.#bytes >= MOST_BYTES
  }

  add({ firstN, lastN, at, frame }: Batch): void {
    this.#sent.push({ firstN, lastN, at, bytes: frame.length })
    this.#bytes += frame.length
  }

  /** Forgets frames that hold nothing after line `n`. */
  acknowledge(n: number): void {
    let done = 0
    while (done < this.#sent.length && this.#sent[done]!.lastN <= n) this.#bytes -= this.#sent[done++]!.bytes
    this.#sent.splice(0, done)
  }

  /** Forgets all. @returns the first frame with a line after `n`, from which all is to be sent again */
  clear(n: number): Sent | undefined {
    const first = this.#sent.find(({ lastN }) => lastN > n)
    this.#sent = []
    this.#bytes = 0
    return first
  }
}
