import type { LogEntry } from '#protocol/log.ts'
import { type CompiledFilter, matchesEntry } from '#protocol/log-filter.ts'
import type { Segment } from '#protocol/segment.ts'

/** What goes to a reader in one piece. */
const MAX_LINES = 1000
const MAX_BYTES = 128 * 1024

/**
 * Consecutive lines of a task on their way to readers. What readers have in common (the JSON of an entry, a whole frame) is made
 * once, on first use, and shared by all of them.
 */
export class LogBatch {
  readonly taskId: string
  readonly firstSeq: number
  readonly #segment: Segment
  /** The lines `from` … `to - 1` of the segment. */
  readonly #from: number
  readonly #to: number
  #entries: LogEntry[] | undefined
  #json: string[] | undefined
  #frames: Buffer[] | undefined
  #batchFrame: Buffer | undefined

  constructor(taskId: string, firstSeq: number, segment: Segment, from = 0, to: number = segment.count) {
    this.taskId = taskId
    this.firstSeq = firstSeq
    this.#segment = segment
    this.#from = from
    this.#to = to
  }

  /** A segment in pieces of a size that a reader takes at once. */
  static split(taskId: string, firstSeq: number, segment: Segment): LogBatch[] {
    const batches: LogBatch[] = []
    let from = 0
    for (let index = 1; index <= segment.count; index++) {
      const full = index - from >= MAX_LINES || segment.end(index - 1) - segment.start(from) >= MAX_BYTES
      if (!full && index < segment.count) continue
      batches.push(new LogBatch(taskId, firstSeq + from, segment, from, index))
      from = index
    }
    return batches
  }

  get count(): number {
    return this.#to - this.#from
  }

  get lastSeq(): number {
    return this.firstSeq + this.count - 1
  }

  /** Bytes of text, newlines included. */
  get textBytes(): number {
    return this.#segment.end(this.#to - 1) - this.#segment.start(this.#from)
  }

  /** Memory that it takes about, its entries and their JSON made. */
  get weight(): number {
    const extraBytes = (this.#segment.extraBytes * this.count) / this.#segment.count
    return 3 * (this.textBytes + extraBytes) + 400 * this.count
  }

  get entries(): LogEntry[] {
    this.#entries ??= Array.from({ length: this.count }, (_, index) =>
      this.#segment.entry(this.#from + index, this.taskId, this.firstSeq - this.#from),
    )
    return this.#entries
  }

  /** Each entry as JSON text. */
  get json(): string[] {
    this.#json ??= this.entries.map(entry => JSON.stringify(entry))
    return this.#json
  }

  /** One `log` frame an entry. */
  get frames(): Buffer[] {
    this.#frames ??= this.json.map(json => Buffer.from(logFrame(json)))
    return this.#frames
  }

  /** All entries in one `logs` frame. */
  get batchFrame(): Buffer {
    this.#batchFrame ??= Buffer.from(logsFrame(this.taskId, this.json))
    return this.#batchFrame
  }

  /** Positions of the entries that match. */
  matching(filter: CompiledFilter): number[] {
    const indexes: number[] = []
    this.entries.forEach((entry, index) => {
      if (matchesEntry(filter, entry)) indexes.push(index)
    })
    return indexes
  }

  /** The part after a seq that lies within the batch. */
  after(seq: number): LogBatch {
    if (seq < this.firstSeq) return this
    const from = this.#from + seq + 1 - this.firstSeq
    return new LogBatch(this.taskId, seq + 1, this.#segment, from, this.#to)
  }
}

export function logFrame(entryJson: string): string {
  return `{"type":"log",${entryJson.slice(1)}`
}

export function logsFrame(taskId: string, entriesJson: string[]): string {
  return `{"type":"logs","taskId":${JSON.stringify(taskId)},"entries":[${entriesJson.join(',')}]}`
}
