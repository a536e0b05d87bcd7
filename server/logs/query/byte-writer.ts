import { Buffer } from 'node:buffer'

/** Somewhat more than most steps of an export give. */
const FIRST_BYTES = 640 * 1024

/** Gathers text as UTF-8 in one growing block. */
export class ByteWriter {
  #bytes = Buffer.from(new ArrayBuffer(FIRST_BYTES))
  #length = 0
  #pending = ''

  get length(): number {
    return this.#length + this.#pending.length
  }

  /** Text of ASCII characters alone. It is kept until something else follows: few long writes are cheaper than many short ones. */
  ascii(text: string): void {
    this.#pending += text
  }

  text(text: string): void {
    this.direct(text.length * 3, (bytes, at) => bytes.write(text, at))
  }

  /** `write` puts at most `most` bytes at a position and returns how many. */
  direct(most: number, write: (bytes: Buffer, at: number) => number): void {
    this.#settle(most)
    this.#length += write(this.#bytes, this.#length)
  }

  /** What was gathered, with memory of its own; the writer is not to be used again. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#settle(0)
    return new Uint8Array(this.#bytes.buffer, 0, this.#length)
  }

  /** Writes what is pending and makes room for more. */
  #settle(more: number): void {
    const text = this.#pending
    this.#pending = ''
    this.#reserve(text.length + more)
    if (text !== '') this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.#length + more, this.#bytes.length * 2)))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
