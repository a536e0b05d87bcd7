import { isUtf8 } from 'node:buffer'
import { MAX_MESSAGE_BYTES } from '#protocol/levels.ts'
import { FLAG_CONTINUED, FLAG_OVERWRITES, NEWLINE } from '#protocol/segment-layout.ts'
import { completeBytes, repaired, splitUtf8, startOfCharacter } from './utf8.ts'

/** Where lines go. Memory that is handed over is good until the call returns. */
export interface LineSink {
  /**
   * Whole lines in one block: valid UTF-8, each closed by its newline.
   * @param ends of each line in `text`, past its newline
   * @param lineNumber of the first; the others count up
   */
  block(text: Uint8Array, ends: Uint32Array, count: number, lineNumber: number): void
  /** One line, or a part of it, without its newline. `flags`: FLAG_CONTINUED, FLAG_OVERWRITES or 0. */
  line(message: Uint8Array, flags: number, lineNumber: number): void
}

const CR = 13
const EMPTY = new Uint8Array(0)

/**
 * Splits one source's bytes into lines: the same lines however the bytes were cut into chunks. A line of more than 64 KiB goes
 * in parts, what a carriage return overwrites is left out, and what is no UTF-8 is replaced.
 */
export class LineSplitter {
  readonly #sink: LineSink
  #ends: Uint32Array = new Uint32Array(1024)
  #lineNumber = 1
  /** What has been read of the open line and not been given on; begins with CR where it overwrites what was. */
  #open: Uint8Array = EMPTY
  /** Whether a part of the open line has been given on. */
  #begun = false

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  /** Of the open line. */
  get lineNumber(): number {
    return this.#lineNumber
  }

  /** Bytes of the open line that wait for its end. */
  get waiting(): boolean {
    return this.#open.length > 0 && !(this.#begun && this.#open.length === 1 && this.#open[0] === CR)
  }

  push(chunk: Buffer): void {
    let from = 0
    if (this.#open.length > 0 || this.#begun) {
      const newline = chunk.indexOf(NEWLINE)
      this.#extend(newline < 0 ? chunk : chunk.subarray(0, newline))
      if (newline < 0) return
      this.#closeLine()
      from = newline + 1
    }
    const to = chunk.lastIndexOf(NEWLINE) + 1
    if (to > from) this.#wholeLines(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to))
    if (Math.max(to, from) < chunk.length) this.#extend(chunk.subarray(Math.max(to, from)))
  }

  /** Gives the open line on as far as it has come, because nothing has followed for a while. */
  flush(): void {
    if (!this.waiting) return
    const trailing = this.#open[this.#open.length - 1] === CR
    const length = completeBytes(this.#open, trailing ? this.#open.length - 1 : this.#open.length)
    const rest = new Uint8Array(this.#open.subarray(length))
    if (length > 0) this.#part(this.#open.subarray(0, length))
    this.#open = rest
  }

  /** Nothing follows: gives the last line on where no newline closed it. */
  end(): void {
    if (this.#open.length > 0) this.#closeLine()
  }

  #wholeLines(block: Buffer): void {
    if (block.includes(CR) || !isUtf8(block)) {
      this.#oneByOne(block)
      return
    }
    let count = 0
    let start = 0
    while (start < block.length) {
      const end = block.indexOf(NEWLINE, start) + 1
      if (end - start > MAX_MESSAGE_BYTES + 1) {
        if (count > 0) this.#block(block.subarray(0, start), count)
        this.#oneByOne(block.subarray(start))
        return
      }
      if (count === this.#ends.length) this.#ends = grown(this.#ends)
      this.#ends[count++] = end
      start = end
    }
    this.#block(block, count)
  }

  #block(text: Uint8Array, count: number): void {
    this.#sink.block(text, this.#ends, count, this.#lineNumber)
    this.#lineNumber += count
  }

  #oneByOne(block: Buffer): void {
    let start = 0
    while (start < block.length) {
      const newline = block.indexOf(NEWLINE, start)
      this.#extend(block.subarray(start, newline))
      this.#closeLine()
      start = newline + 1
    }
  }

  #extend(bytes: Uint8Array): void {
    this.#open = this.#open.length === 0 ? new Uint8Array(bytes) : joined(this.#open, bytes)
    let from = 0
    while (this.#open.length - from > MAX_MESSAGE_BYTES) {
      const window = this.#open.subarray(from, from + MAX_MESSAGE_BYTES)
      const overwritten = window.lastIndexOf(CR)
      if (overwritten > 0) {
        from += overwritten
        continue
      }
      const length = startOfCharacter(this.#open, from + MAX_MESSAGE_BYTES, from) - from
      this.#part(this.#open.subarray(from, from + length))
      from += length
    }
    if (from > 0) this.#open = new Uint8Array(this.#open.subarray(from))
  }

  #closeLine(): void {
    let end = this.#open.length
    while (end > 0 && this.#open[end - 1] === CR) end--
    if (end > 0 || !this.#begun) this.#part(this.#open.subarray(0, end))
    this.#open = EMPTY
    this.#begun = false
    this.#lineNumber++
  }

  #part(bytes: Uint8Array): void {
    const overwritten = bytes.lastIndexOf(CR)
    const text = overwritten < 0 ? bytes : bytes.subarray(overwritten + 1)
    const valid = isUtf8(text) ? text : repaired(text)
    if (text.length === 0 && this.#begun) return
    let flags = !this.#begun ? 0 : overwritten < 0 ? FLAG_CONTINUED : FLAG_OVERWRITES
    for (const part of splitUtf8(valid, MAX_MESSAGE_BYTES)) {
      this.#sink.line(part, flags, this.#lineNumber)
      flags = FLAG_CONTINUED
    }
    this.#begun = true
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(left.length + right.length)
  bytes.set(left)
  bytes.set(right, left.length)
  return bytes
}

function grown(ends: Uint32Array): Uint32Array {
  const larger = new Uint32Array(ends.length * 2)
  larger.set(ends)
  return larger
}
