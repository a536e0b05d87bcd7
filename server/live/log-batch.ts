import type { LogEntry } from '#protocol/log.ts'
import { type CompiledFilter, matchesEntry } from '#protocol/log-filter.ts'
import type { Segment } from '#protocol/segment.ts'
import { sliceSegment } from '#protocol/segment-writer.ts'

/**
 * Consecutive lines of a task on their way to readers. What readers have in common (the JSON of an entry, a whole frame) is made
 * once, on first use, and shared by all of them.
 */
export class LogBatch {
  readonly taskId: string
  readonly firstSeq: number
  readonly segment: Segment
  #entries: LogEntry[] | undefined
  #json: string[] | undefined
  #frames: Buffer[] | undefined
  #batchFrame: Buffer | undefined

  constructor(taskId: string, firstSeq: number, segment: Segment) {
    this.taskId = taskId
    this.firstSeq = firstSeq
    this.segment = segment
  }

  get lastSeq(): number {
    return this.firstSeq + this.segment.count - 1
  }

  /** Memory that a queued batch is held responsible for. */
  get bytes(): number {
    return this.segment.bytes.length
  }

  get entries(): LogEntry[] {
    this.#entries ??= Array.from({ length: this.segment.count }, (_, index) =>
      this.segment.entry(index, this.taskId, this.firstSeq),
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
    return new LogBatch(this.taskId, seq + 1, sliceSegment(this.segment, seq + 1 - this.firstSeq))
  }
}

export function logFrame(entryJson: string): string {
  return `{"type":"log",${entryJson.slice(1)}`
}

export function logsFrame(taskId: string, entriesJson: string[]): string {
  return `{"type":"logs","taskId":${JSON.stringify(taskId)},"entries":[${entriesJson.join(',')}]}`
}
