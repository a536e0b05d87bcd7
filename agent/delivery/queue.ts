import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { BufferPool } from './buffer-pool.ts'
import { mergeRecords } from './merge.ts'
import { frameOf, lastN, type SpoolRecord } from './record.ts'
import type { Position, Spool } from './spool.ts'

/** What is sent as one frame, and where it stands in the spool. */
export interface Batch {
  firstN: number
  lastN: number
  frame: Buffer
  at: Position
}

const BATCH_BYTES = 256 * 1024
const MEMORY_BYTES = 2 * 1024 * 1024

/**
 * The lines of a stream that are yet to be sent, in order. What was gathered last is kept in memory; once that is too much, all
 * is read back from the spool until reading has caught up.
 */
export class SendQueue {
  readonly #spool: Spool
  readonly #pool: BufferPool
  readonly #memoryLines: number
  #memory: { record: SpoolRecord; at: Position; since: number }[] = []
  readonly #writer = new SegmentWriter({ textBytes: Number.MAX_SAFE_INTEGER })
  #memoryBytes = 0
  #lines = 0
  /** Where reading goes on; `undefined` where `#memory` holds all there is. */
  #cursor: Position | undefined
  /** What stands at the cursor, read already. */
  #ahead: { record: SpoolRecord; at: Position; next: Position } | undefined
  #tailN = 0
  /** Everything up to here has been given out. */
  #takenN = 0

  /** @param memoryLines how many lines are kept in memory at least, as long as they are not large */
  constructor(spool: Spool, pool: BufferPool, memoryLines: number) {
    this.#spool = spool
    this.#pool = pool
    this.#memoryLines = memoryLines
  }

  /** Highest line that was added. */
  get tailN(): number {
    return this.#tailN
  }

  get takenN(): number {
    return this.#takenN
  }

  /** Lines that wait, and since when the oldest does (of those in memory), ms of `performance.now`. */
  get waiting(): { lines: number; bytes: number; since: number } {
    if (this.#cursor) return { lines: this.#tailN - this.#takenN, bytes: BATCH_BYTES, since: 0 }
    return { lines: this.#lines, bytes: this.#memoryBytes, since: this.#memory[0]?.since ?? 0 }
  }

  add(record: SpoolRecord, at: Position): void {
    this.#tailN = lastN(record)
    if (this.#cursor) {
      this.#pool.give(record.bytes)
      return
    }
    this.#memory.push({ record, at, since: performance.now() })
    this.#memoryBytes += record.bytes.length
    this.#lines += record.count
    const tooMuch =
      this.#memoryBytes > MEMORY_BYTES &&
      (this.#lines > this.#memoryLines || this.#memoryBytes > 4 * MEMORY_BYTES)
    if (tooMuch) this.rewind(this.#memory[0]!.at, this.#memory[0]!.record.firstN)
  }

  /** Goes on from a place in the spool, where line `firstN` stands. */
  rewind(at: Position, firstN: number): void {
    for (const { record } of this.#memory) this.#pool.give(record.bytes)
    if (this.#ahead) this.#pool.give(this.#ahead.record.bytes)
    this.#ahead = undefined
    this.#memory = []
    this.#memoryBytes = this.#lines = 0
    this.#cursor = at
    this.#takenN = firstN - 1
  }

  /** For a spool that an agent left behind: everything in it waits. Returns the highest line. */
  recover(): number {
    this.rewind(this.#spool.start, 1)
    let at: Position | undefined = this.#spool.start
    while (at) {
      const found = this.#spool.read(at)
      if (found) this.#tailN = lastN(found.record)
      at = found?.next
    }
    return this.#tailN
  }

  /** The next frame; small records that follow one another go together. `storedN`: lines up to it are not needed. */
  take(storedN: number): Batch | undefined {
    const found: { record: SpoolRecord; at: Position }[] = []
    let bytes = 0
    for (;;) {
      const next = this.#next(BATCH_BYTES - bytes, found.length === 0)
      if (next === undefined) break
      this.#takenN = lastN(next.record)
      if (this.#takenN <= storedN) {
        this.#pool.give(next.record.bytes)
        continue
      }
      found.push(next)
      bytes += next.record.bytes.length
      if (bytes >= BATCH_BYTES) break
    }
    const [first] = found
    if (first === undefined) return undefined
    const { firstN } = first.record
    const frame = found.length === 1 ? frameOf(first.record) : this.#merge(found)
    return { firstN, lastN: this.#takenN, frame, at: first.at }
  }

  /** What does not fit into one frame is left for the next. */
  #merge(found: { record: SpoolRecord; at: Position }[]): Buffer {
    const { frame, count } = mergeRecords(
      this.#writer,
      found.map(({ record }) => record),
      bytes => this.#pool.take(bytes),
    )
    for (const { record } of found) this.#pool.give(record.bytes)
    const next = found[count]
    if (next) this.rewind(next.at, next.record.firstN)
    return frame
  }

  #next(room: number, any: boolean): { record: SpoolRecord; at: Position } | undefined {
    if (this.#cursor === undefined) {
      const first = this.#memory[0]
      if (first === undefined || (!any && first.record.bytes.length > room)) return undefined
      this.#memory.shift()
      this.#memoryBytes -= first.record.bytes.length
      this.#lines -= first.record.count
      return first
    }
    if (this.#takenN >= this.#tailN) {
      this.#cursor = undefined
      return undefined
    }
    const found = this.#ahead ?? this.#spool.read(this.#cursor, bytes => this.#pool.take(bytes))
    this.#ahead = undefined
    if (found === undefined) {
      this.#cursor = undefined
      return undefined
    }
    if (!any && found.record.bytes.length > room) {
      this.#ahead = found
      return undefined
    }
    this.#cursor = this.#takenN + found.record.count >= this.#tailN ? undefined : found.next
    return found
  }
}
