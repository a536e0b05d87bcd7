import { entryId, LEVELS, SOURCES } from './levels.ts'
import type { LogEntry } from './log.ts'
import {
  COLUMN_BYTES,
  type EntryExtra,
  type ExtraList,
  FLAG_CONTINUED,
  FLAG_OVERWRITES,
  HEADER_BYTES,
  LEVEL_MASK,
  MAX_EXTRA_BYTES,
  MAX_LINES,
  MAX_TEXT_BYTES,
  SEGMENT_VERSION,
  SegmentError,
  SOURCE_MASK,
  SOURCE_SHIFT,
} from './segment-layout.ts'

/** A byte order mark at the beginning of a message is part of it. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Random access to a segment's lines. Nothing is decoded before it is asked for. */
export class Segment {
  readonly bytes: Uint8Array
  readonly count: number
  readonly baseTime: number
  /** The text block: every message followed by one newline. */
  readonly text: Uint8Array
  readonly extraBytes: number
  readonly #view: DataView
  readonly #endsAt: number
  readonly #tagsAt: number
  #extras: Map<number, EntryExtra> | undefined
  #lineNumbers: Uint32Array | undefined

  constructor(bytes: Uint8Array) {
    if (bytes.length < HEADER_BYTES) throw new SegmentError(`${bytes.length} bytes are too few for a segment`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes[0] !== 0x4b || bytes[1] !== 0x53 || bytes[2] !== 0x47)
      throw new SegmentError('no segment: it must begin with "KSG"')
    if (bytes[3] !== SEGMENT_VERSION)
      throw new SegmentError(
        `segment version ${bytes[3]} is not supported; this is version ${SEGMENT_VERSION}`,
      )
    const count = view.getUint32(4, true)
    const textBytes = view.getUint32(16, true)
    const extraBytes = view.getUint32(20, true)
    if (count < 1 || count > MAX_LINES)
      throw new SegmentError(`count ${count} is not within 1 to ${MAX_LINES}`)
    if (textBytes > MAX_TEXT_BYTES)
      throw new SegmentError(`text of ${textBytes} bytes is over ${MAX_TEXT_BYTES}`)
    if (extraBytes > MAX_EXTRA_BYTES)
      throw new SegmentError(`extra part of ${extraBytes} bytes is over ${MAX_EXTRA_BYTES}`)
    const textAt = HEADER_BYTES + count * COLUMN_BYTES
    if (textAt + textBytes + extraBytes !== bytes.length) {
      throw new SegmentError(
        `lengths say ${textAt + textBytes + extraBytes} bytes, there are ${bytes.length}`,
      )
    }
    this.bytes = bytes
    this.count = count
    this.baseTime = view.getFloat64(8, true)
    this.extraBytes = extraBytes
    this.#view = view
    this.#endsAt = HEADER_BYTES + count * 4
    this.#tagsAt = HEADER_BYTES + count * 8
    this.text = bytes.subarray(textAt, textAt + textBytes)
  }

  /** Milliseconds since the epoch. */
  time(index: number): number {
    return this.baseTime + this.#view.getInt32(HEADER_BYTES + index * 4, true)
  }

  /** Level, source and flags in one byte, as laid out in segment-layout. */
  tag(index: number): number {
    return this.bytes[this.#tagsAt + index]!
  }

  /** Position of the line's first byte in `text`. */
  start(index: number): number {
    return index === 0 ? 0 : this.#view.getUint32(this.#endsAt + (index - 1) * 4, true)
  }

  /** Position past the line's closing newline in `text`. */
  end(index: number): number {
    return this.#view.getUint32(this.#endsAt + index * 4, true)
  }

  message(index: number): string {
    return decoder.decode(this.text.subarray(this.start(index), this.end(index) - 1))
  }

  extra(index: number): EntryExtra | undefined {
    if (this.extraBytes === 0) return undefined
    this.#extras ??= new Map(this.extraList())
    return this.#extras.get(index)
  }

  extraList(): ExtraList {
    if (this.extraBytes === 0) return []
    return JSON.parse(decoder.decode(this.bytes.subarray(this.bytes.length - this.extraBytes))) as ExtraList
  }

  /** 0 where the line has no number. */
  lineNumber(index: number): number {
    this.#lineNumbers ??= this.#countLines()
    return this.#lineNumbers[index]!
  }

  #countLines(): Uint32Array {
    const numbers = new Uint32Array(this.count)
    const next = [24, 28, 32].map(at => this.#view.getUint32(at, true))
    for (let index = 0; index < this.count; index++) {
      const tag = this.tag(index)
      const source = (tag & SOURCE_MASK) >> SOURCE_SHIFT
      const explicit = this.extraBytes === 0 ? undefined : this.extra(index)?.lineNumber
      let number = next[source]!
      if (explicit !== undefined) number = explicit ?? 0
      else if (number > 0 && tag & (FLAG_CONTINUED | FLAG_OVERWRITES)) number -= 1
      numbers[index] = number
      next[source] = number === 0 ? 0 : number + 1
    }
    return numbers
  }

  entry(index: number, taskId: string, firstSeq: number): LogEntry {
    const tag = this.tag(index)
    const seq = firstSeq + index
    const entry: LogEntry = {
      id: entryId(taskId, seq),
      taskId,
      seq,
      timestamp: new Date(this.time(index)).toISOString(),
      source: SOURCES[(tag & SOURCE_MASK) >> SOURCE_SHIFT]!,
      level: LEVELS[tag & LEVEL_MASK]!,
      message: this.message(index),
    }
    const lineNumber = this.lineNumber(index)
    if (lineNumber > 0) entry.lineNumber = lineNumber
    const extra = this.extra(index)
    if (extra?.step !== undefined) entry.step = extra.step
    if (extra?.durationMs !== undefined) entry.durationMs = extra.durationMs
    const flags = tag & (FLAG_CONTINUED | FLAG_OVERWRITES)
    if (extra?.metadata || flags) {
      entry.metadata = { ...extra?.metadata }
      if (tag & FLAG_CONTINUED) entry.metadata.continued = true
      if (tag & FLAG_OVERWRITES) entry.metadata.overwrites = true
    }
    return entry
  }
}
