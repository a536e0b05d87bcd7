import { Segment } from './segment.ts'
import {
  COLUMN_BYTES,
  type EntryExtra,
  type ExtraList,
  FLAG_CONTINUED,
  FLAG_OVERWRITES,
  HEADER_BYTES,
  MAX_EXTRA_BYTES,
  MAX_LINES,
  NEWLINE,
  SEGMENT_VERSION,
  SOURCE_MASK,
  SOURCE_SHIFT,
} from './segment-layout.ts'

const MAX_DIFFERENCE = 0x7fffffff
const encoder = new TextEncoder()
const NO_EXTRA: EntryExtra = {}
const NO_BYTES: Uint8Array = new Uint8Array(0)

const FLAGS = FLAG_CONTINUED | FLAG_OVERWRITES
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** An index and a line number of its own as JSON, at most. */
const NUMBER_BYTES = 64

export interface WriterLimits {
  /** The writer takes no further line once the text would pass this; one line always fits. */
  textBytes: number
  lines: number
  extraBytes: number
}

/** Gathers lines and writes them as one segment. One writer can be used again after each `finish`. */
export class SegmentWriter {
  readonly #limits: WriterLimits
  readonly #fixedBase: number | undefined
  #times = new Float64Array(256)
  #ends = new Uint32Array(256)
  #tags = new Uint8Array(256)
  #text = new Uint8Array(16 * 1024)
  #extras: ExtraList = []
  #extraBytes = 0
  /** Of the line that is being added. */
  #cost = 0
  #count = 0
  #textBytes = 0
  #baseTime = 0
  #first = [0, 0, 0]
  #next = [0, 0, 0]
  #seen = [false, false, false]

  /** @param baseTime that of the first line, where none is given */
  constructor(limits: Partial<WriterLimits> = {}, baseTime?: number) {
    this.#limits = {
      textBytes: limits.textBytes ?? 256 * 1024,
      lines: Math.min(limits.lines ?? MAX_LINES, MAX_LINES),
      extraBytes: limits.extraBytes ?? MAX_EXTRA_BYTES,
    }
    this.#fixedBase = baseTime
  }

  get count(): number {
    return this.#count
  }

  get textBytes(): number {
    return this.#textBytes
  }

  /**
   * Adds a line without its newline.
   * @param message UTF-8; a newline within it stays part of the message
   * @param at ms since the epoch
   * @param lineNumber 0 for none
   * @returns false, and nothing is added, where the line belongs into the next segment
   */
  add(message: Uint8Array, at: number, tag: number, lineNumber = 0, extra: EntryExtra = NO_EXTRA): boolean {
    if (!this.#fits(message.length + 1, at, extra)) return false
    const end = this.#textBytes + message.length
    this.#text.set(message, this.#textBytes)
    this.#text[end] = NEWLINE
    this.#push(end + 1, at, tag, lineNumber, extra)
    return true
  }

  /** Adds a line from a string. */
  addString(message: string, at: number, tag: number, lineNumber = 0, extra: EntryExtra = NO_EXTRA): boolean {
    return this.add(encoder.encode(message), at, tag, lineNumber, extra)
  }

  /** Adds lines `from` … `to - 1` of another segment; returns the index of the first that did not fit (`to` when all did). */
  addRange(segment: Segment, from = 0, to: number = segment.count): number {
    for (let index = from; index < to; index++) {
      const alike = alikeUntil(segment, index, to)
      if (alike - index > 1) {
        const reached = this.#addAlike(segment, index, alike)
        if (reached < alike) return reached
        index = alike - 1
        continue
      }
      const message = segment.text.subarray(segment.start(index), segment.end(index) - 1)
      if (
        !this.add(
          message,
          segment.time(index),
          segment.tag(index),
          segment.lineNumber(index),
          segment.extra(index),
        )
      )
        return index
    }
    return to
  }

  /**
   * Adds lines `from` … `to - 1` of a block at once: one source, no flags, each counted up from `lineNumber` (of line `from`).
   * @param text UTF-8, every line closed by its newline
   * @param ends end of each line in `text`, past its newline
   * @returns the index of the first line that did not fit (`to` when all did)
   */
  addBlock(
    text: Uint8Array,
    ends: Uint32Array,
    tags: Uint8Array,
    from: number,
    to: number,
    at: number,
    lineNumber: number,
  ): number {
    const start = from === 0 ? 0 : ends[from - 1]!
    const line = ends[from]! - start
    if (from >= to || !this.#fits(line, at, NO_EXTRA)) return from
    const room = this.#limits.textBytes - this.#textBytes + start
    let last = Math.min(to, from + this.#limits.lines - this.#count)
    while (last > from + 1 && ends[last - 1]! > room) last--
    const base = this.#textBytes - start
    this.#reserve(base + ends[last - 1]!, this.#count + last - from)
    this.#text.set(text.subarray(start, ends[last - 1]!), this.#textBytes)
    this.#push(base + ends[from]!, at, tags[from]!, lineNumber, NO_EXTRA)
    const first = this.#count
    const many = last - from - 1
    for (let index = 0; index < many; index++) this.#ends[first + index] = base + ends[from + 1 + index]!
    this.#tags.set(tags.subarray(from + 1, last), first)
    this.#times.fill(Math.trunc(at), first, first + many)
    this.#count = first + many
    this.#textBytes = base + ends[last - 1]!
    const source = (tags[from]! & SOURCE_MASK) >> SOURCE_SHIFT
    if (lineNumber !== 0) this.#next[source] = lineNumber + many + 1
    return last
  }

  /** The segment's bytes; the writer is empty again. At least one line must have been added. */
  finish(): Uint8Array {
    let segment = NO_BYTES
    this.finishInto(size => {
      segment = new Uint8Array(size)
      return segment
    })
    return segment
  }

  /** As `finish`, into memory that `allocate` gives, of exactly the size it is asked for. */
  finishInto(allocate: (size: number) => Uint8Array): void {
    const count = this.#count
    if (count === 0) throw new Error('a segment has at least one line')
    const extra = this.#extras.length === 0 ? NO_BYTES : encoder.encode(JSON.stringify(this.#extras))
    const textAt = HEADER_BYTES + count * COLUMN_BYTES
    const bytes = allocate(textAt + this.#textBytes + extra.length)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    bytes.set([0x4b, 0x53, 0x47, SEGMENT_VERSION])
    view.setUint32(4, count, true)
    view.setFloat64(8, this.#baseTime, true)
    view.setUint32(16, this.#textBytes, true)
    view.setUint32(20, extra.length, true)
    for (let source = 0; source < 3; source++) view.setUint32(24 + source * 4, this.#first[source]!, true)
    let at = HEADER_BYTES
    if (IS_LITTLE_ENDIAN && view.byteOffset % 4 === 0) {
      const times = new Int32Array(bytes.buffer, bytes.byteOffset + at, count)
      for (let index = 0; index < count; index++) times[index] = this.#times[index]! - this.#baseTime
      new Uint32Array(bytes.buffer, bytes.byteOffset + at + count * 4, count).set(
        this.#ends.subarray(0, count),
      )
      at += count * 8
    } else {
      for (let index = 0; index < count; index++, at += 4)
        view.setInt32(at, this.#times[index]! - this.#baseTime, true)
      for (let index = 0; index < count; index++, at += 4) view.setUint32(at, this.#ends[index]!, true)
    }
    bytes.set(this.#tags.subarray(0, count), at)
    bytes.set(this.#text.subarray(0, this.#textBytes), textAt)
    bytes.set(extra, textAt + this.#textBytes)
    this.#reset()
  }

  /** Lines that are alike, in one block. */
  #addAlike(segment: Segment, from: number, to: number): number {
    const ends = new Uint32Array(to - from)
    const tags = new Uint8Array(to - from)
    const start = segment.start(from)
    for (let index = from; index < to; index++) {
      ends[index - from] = segment.end(index) - start
      tags[index - from] = segment.tag(index)
    }
    const text = segment.text.subarray(start, segment.end(to - 1))
    return from + this.addBlock(text, ends, tags, 0, to - from, segment.time(from), segment.lineNumber(from))
  }

  #fits(bytes: number, at: number, extra: EntryExtra): boolean {
    const difference = at - this.#baseTime
    this.#cost = costOf(extra)
    if (this.#count === 0) this.#baseTime = this.#fixedBase ?? Math.trunc(at)
    else if (
      this.#textBytes + bytes > this.#limits.textBytes ||
      this.#count >= this.#limits.lines ||
      this.#extraBytes + this.#cost > this.#limits.extraBytes ||
      difference > MAX_DIFFERENCE ||
      difference < -MAX_DIFFERENCE - 1
    ) {
      return false
    }
    this.#reserve(this.#textBytes + bytes, this.#count + 1)
    return true
  }

  #reserve(textBytes: number, lines: number): void {
    if (textBytes > this.#text.length) this.#text = grown(this.#text, textBytes)
    if (lines > this.#tags.length) {
      this.#times = grown(this.#times, lines)
      this.#ends = grown(this.#ends, lines)
      this.#tags = grown(this.#tags, lines)
    }
  }

  #push(end: number, at: number, tag: number, lineNumber: number, extra: EntryExtra): void {
    const index = this.#count
    this.#times[index] = Math.trunc(at)
    this.#ends[index] = end
    this.#tags[index] = tag
    this.#textBytes = end
    this.#count = index + 1
    const explicit = this.#numberLine(tag, lineNumber)
    if (explicit === undefined && extra === NO_EXTRA) return
    const { metadata, step, durationMs } = extra
    const kept: EntryExtra = { metadata, step, durationMs, lineNumber: explicit }
    if (metadata || step !== undefined || durationMs !== undefined || explicit !== undefined) {
      this.#extras.push([index, kept])
      this.#extraBytes += this.#cost
    }
  }

  /** What the extra part must say of the line's number, `undefined` where counting says it already. */
  #numberLine(tag: number, lineNumber: number): number | null | undefined {
    const source = (tag & SOURCE_MASK) >> SOURCE_SHIFT
    const repeats = (tag & (FLAG_CONTINUED | FLAG_OVERWRITES)) !== 0
    if (!this.#seen[source]) {
      this.#seen[source] = true
      this.#next[source] = this.#first[source] = lineNumber === 0 ? 0 : repeats ? lineNumber + 1 : lineNumber
    }
    const next = this.#next[source]!
    const counted = next > 0 && repeats ? next - 1 : next
    this.#next[source] = lineNumber === 0 ? 0 : lineNumber + 1
    if (lineNumber === counted) return undefined
    return lineNumber === 0 ? null : lineNumber
  }

  #reset(): void {
    this.#count = this.#textBytes = this.#extraBytes = 0
    this.#extras = []
    this.#first = [0, 0, 0]
    this.#next = [0, 0, 0]
    this.#seen = [false, false, false]
    if (this.#text.length > 2 * this.#limits.textBytes) this.#text = new Uint8Array(16 * 1024)
  }
}

/** The lines `from` … `to - 1` as a segment of their own. */
export function sliceSegment(segment: Segment, from: number, to: number = segment.count): Segment {
  if (from === 0 && to === segment.count) return segment
  // No more than the segment itself has: every line fits.
  const limits = {
    textBytes: segment.text.length,
    lines: segment.count,
    extraBytes: Number.POSITIVE_INFINITY,
  }
  const writer = new SegmentWriter(limits, segment.baseTime)
  writer.addRange(segment, from, to)
  return new Segment(writer.finish())
}

/** Where the lines end that have source and time of line `from`, no flags, no extra, and numbers that count up or none. */
function alikeUntil(segment: Segment, from: number, to: number): number {
  if (segment.extraBytes > 0) return from + 1
  const tag = segment.tag(from)
  const time = segment.time(from)
  if (tag & FLAGS) return from + 1
  let next = from + 1
  while (
    next < to &&
    ((segment.tag(next) ^ tag) & (SOURCE_MASK | FLAGS)) === 0 &&
    segment.time(next) === time
  )
    next++
  return next
}

/** Bytes that a line takes in the extra part, at most; a UTF-16 unit has up to three. */
function costOf({ metadata, step, durationMs }: EntryExtra): number {
  if (!metadata && step === undefined && durationMs === undefined) return NUMBER_BYTES
  return 2 * NUMBER_BYTES + 3 * JSON.stringify({ metadata, step, durationMs }).length
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(array: T, least: number): T {
  const larger = new (array.constructor as new (length: number) => T)(Math.max(least, array.length * 2))
  larger.set(array as never)
  return larger
}
