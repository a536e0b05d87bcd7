import { Buffer } from 'node:buffer'

/** Somewhat more than most steps of an export give. */
const FIRST_BYTES = 640 * 1024

/** Gathers text as UTF-8 in one growing block. */
export class ByteWriter {
  #bytes = Buffer.from(new ArrayBuffer(FIRST_BYTES))
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Text of ASCII characters alone. */
  ascii(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }

  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#length += this.#bytes.write(text, this.#length)
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** `write` puts at most `most` bytes at a position and returns how many. */
  direct(most: number, write: (bytes: Uint8Array, at: number) => number): void {
    this.#reserve(most)
    this.#length += write(this.#bytes, this.#length)
  }

  /** What was gathered, with memory of its own; the writer is not to be used again. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer, 0, this.#length)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.#length + more, this.#bytes.length * 2)))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
