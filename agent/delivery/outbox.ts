import { type EntryExtra, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { BufferPool } from './buffer-pool.ts'
import { Gather } from './gather.ts'
import { finishFrame } from './merge.ts'
import { RECORD_HEADER_BYTES, type SpoolRecord, sealRecord } from './record.ts'

const AGENT_SOURCE = 2
/** What is gathered, and what one reading of a pipe may bring beyond that. */
const RECORD_TEXT_BYTES = (256 + 72) * 1024

/** Numbers a stream's lines 1, 2, 3 … in the order they come, and gathers into records what comes in quick succession. */
export class Outbox {
  readonly #streamId: string
  readonly #pool: BufferPool
  readonly #out: (record: SpoolRecord) => void
  readonly #now: () => number
  readonly #writer = new SegmentWriter({ textBytes: RECORD_TEXT_BYTES })
  readonly #gather = new Gather(() => this.cut())
  #n = 0
  #firstN = 1
  #agentLines = 0

  constructor(
    streamId: string,
    pool: BufferPool,
    out: (record: SpoolRecord) => void,
    now: () => number = Date.now,
  ) {
    this.#streamId = streamId
    this.#pool = pool
    this.#out = out
    this.#now = now
  }

  /** Number of the last line. */
  get n(): number {
    return this.#n
  }

  block(
    text: Uint8Array,
    ends: Uint32Array,
    tags: Uint8Array,
    from: number,
    to: number,
    lineNumber: number,
    step?: string,
  ): void {
    const at = this.#now()
    let next = from
    if (step !== undefined) {
      this.#stepLines(text, ends, tags, from, to, at, lineNumber, { step })
      return
    }
    while (next < to) {
      const reached = this.#writer.addBlock(text, ends, tags, next, to, at, lineNumber + next - from)
      const bytes = ends[reached - 1]! - (next === 0 ? 0 : ends[next - 1]!)
      this.#n += reached - next
      next = reached
      if (next < to) this.cut()
      else this.#gather.add(bytes)
    }
  }

  line(message: Uint8Array, tag: number, lineNumber: number, step?: string): void {
    this.#add(message, this.#now(), tag, lineNumber, step === undefined ? undefined : { step })
  }

  /** An entry of the agent itself. @param level position in LEVELS */
  say(level: number, message: string): void {
    this.#agentLines++
    this.line(new TextEncoder().encode(message), (AGENT_SOURCE << SOURCE_SHIFT) | level, this.#agentLines)
  }

  /** Hands on what has been gathered. */
  cut(): void {
    if (this.#writer.count === 0) return
    const count = this.#writer.count
    const bytes = finishFrame(this.#writer, this.#streamId, this.#firstN, RECORD_HEADER_BYTES, size =>
      this.#pool.take(size),
    )
    const record = sealRecord(bytes, this.#firstN, count)
    this.#firstN += count
    this.#out(record)
  }

  #stepLines(
    text: Uint8Array,
    ends: Uint32Array,
    tags: Uint8Array,
    from: number,
    to: number,
    at: number,
    lineNumber: number,
    extra: EntryExtra,
  ): void {
    let start = from === 0 ? 0 : ends[from - 1]!
    for (let index = from; index < to; index++) {
      const end = ends[index]!
      this.#add(text.subarray(start, end - 1), at, tags[index]!, lineNumber + index - from, extra)
      start = end
    }
  }

  #add(message: Uint8Array, at: number, tag: number, lineNumber: number, extra?: EntryExtra): void {
    if (!this.#writer.add(message, at, tag, lineNumber, extra)) {
      this.cut()
      this.#writer.add(message, at, tag, lineNumber, extra)
    }
    this.#n++
    this.#gather.add(message.length + 1)
  }
}
