import type { LogEntry } from '#protocol/log.ts'
import { type CompiledFilter, compileFilter, type LogFilter } from '#protocol/log-filter.ts'
import type { LogBatch } from './log-batch.ts'
import type { StoredPart, StoredReads } from './stored-reads.ts'
import { TokenBucket } from './token-bucket.ts'

/** A connection as the hub sees it. Nothing here may throw; after `close` nothing is called any more. */
export interface Sink {
  /** Whether the transport takes more now; if not, it calls `Subscriber.drained` later. */
  writable(): boolean
  /** All entries of a batch. */
  batch(batch: LogBatch): void
  /** Some entries, in rising seq. */
  entries(entries: LogEntry[]): void
  /** Entries that this reader will not get. */
  gap(from: number, to: number): void
  /** Everything up to the head has been sent; live from here on. Called once. */
  live(seq: number): void
  /** The stored part could not be read. */
  failed(error: unknown): void
}

export interface SubscriberOptions {
  taskId: string
  filter: LogFilter
  /** Last seq that the reader has. */
  after: number
  /** False: the stored part only. */
  realtime: boolean
  sink: Sink
  /** Memory that live batches may take while they wait for a slow transport; then the oldest are dropped, and read from the store later. */
  maxQueueBytes: number
  /** A transport that took nothing for so long while batches were dropped gets a gap in their place. */
  patienceMs(): number
  /** A clock in ms that never goes back. */
  now(): number
  /** Most deliveries a second, 0 for no limit; what gathers in between goes together. */
  maxPerSecond: number
  reads: Pick<StoredReads, 'read'>
  onGap(lines: number): void
  onSent(lines: number, bytes: number): void
  onClose(): void
}

/**
 * One reader of one task: first what is stored after its cursor, at its own pace, then live batches, joined at one seq. Its queue
 * is bounded: where lines come in faster than they go out, the oldest batches are dropped, and the reader is back to what is stored, until
 * it has caught up again. One whose connection stands still is told which lines it will not get.
 */
export class Subscriber {
  readonly taskId: string
  readonly #options: SubscriberOptions
  readonly #filter: CompiledFilter
  readonly #pace: TokenBucket
  #cursor: number
  #queue: LogBatch[] = []
  #queuedBytes = 0
  /** Last seq of the batches that were dropped since the transport took something. */
  #dropped = 0
  #blockedSince: number | undefined
  #catchingUp = true
  #announced = false
  /** A head that was seen while the stored part was read. */
  #reached = 0
  #closed = false
  #wake: (() => void) | undefined
  #paceTimer: NodeJS.Timeout | undefined

  constructor(options: SubscriberOptions) {
    this.taskId = options.taskId
    this.#options = options
    this.#filter = compileFilter(options.filter)
    this.#cursor = options.after
    this.#pace = new TokenBucket(options.maxPerSecond)
  }

  get cursor(): number {
    return this.#cursor
  }

  start(): void {
    this.#catchUp().catch(error => {
      if (!this.#closed) this.#options.sink.failed(error)
    })
  }

  /** Takes a live batch. A regex is never run here: such a reader is fed by queries, which have a time budget. */
  offer(batch: LogBatch): void {
    if (this.#closed || !this.#options.realtime) return
    this.#queue.push(batch)
    this.#queuedBytes += batch.weight
    while (this.#queuedBytes > this.#options.maxQueueBytes && this.#queue.length > 1) this.#dropOldest()
    if (this.#catchingUp) return
    if (this.#filter.regex) this.#fallBack()
    else if (this.#options.sink.writable()) this.#flush()
    else this.#blockedSince ??= this.#options.now()
  }

  /** The log has lines up to here: those that no batch brought are read from the store. */
  reached(head: number): void {
    if (this.#closed || !this.#options.realtime || head <= this.#cursor) return
    this.#reached = Math.max(this.#reached, head)
    if (!this.#catchingUp && this.#queue.length === 0) this.#fallBack()
  }

  /** The transport takes more. */
  drained(): void {
    this.#wake?.()
    if (!this.#catchingUp) this.#flush()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    clearTimeout(this.#paceTimer)
    this.#wake?.()
    this.#options.onClose()
  }

  #dropOldest(): void {
    const dropped = this.#queue.shift()!
    this.#queuedBytes -= dropped.weight
    this.#dropped = dropped.lastSeq
  }

  #flush(): void {
    try {
      this.#deliverQueue()
    } catch (error) {
      // The writer, whose call this may be, has stored its lines all the same.
      this.#options.sink.failed(error)
    }
  }

  #deliverQueue(): void {
    if (this.#closed || this.#queue.length === 0 || !this.#options.sink.writable() || !this.#mayDeliver())
      return
    const { sink } = this.#options
    this.#skipWhereItStood()
    while (this.#queue.length > 0 && sink.writable()) {
      if (this.#queue[0]!.firstSeq > this.#cursor + 1) {
        this.#fallBack()
        return
      }
      const batch = this.#queue.shift()!
      this.#queuedBytes -= batch.weight
      if (batch.lastSeq > this.#cursor) this.#deliver(batch.after(this.#cursor))
    }
  }

  /** The transport takes more: whether that was after a while that is too long to go on where it stopped. */
  #skipWhereItStood(): void {
    const { sink, onGap, now, patienceMs } = this.#options
    const stood = this.#blockedSince !== undefined && now() - this.#blockedSince >= patienceMs()
    this.#blockedSince = undefined
    if (!stood || this.#dropped <= this.#cursor) return
    sink.gap(this.#cursor + 1, this.#dropped)
    onGap(this.#dropped - this.#cursor)
    this.#cursor = this.#dropped
  }

  #deliver(batch: LogBatch): void {
    const { sink, onSent } = this.#options
    this.#cursor = batch.lastSeq
    if (this.#filter.matchesAll) {
      sink.batch(batch)
      onSent(batch.count, batch.textBytes)
      return
    }
    const indexes = batch.matching(this.#filter)
    if (indexes.length === 0) return
    sink.entries(indexes.map(index => batch.entries[index]!))
    onSent(indexes.length, batch.textBytes)
  }

  /** At most so many deliveries a second; true where one may go now. */
  #mayDeliver(): boolean {
    if (this.#paceTimer) return false
    const waitMs = this.#pace.take()
    if (waitMs === 0) return true
    this.#paceTimer = setTimeout(() => {
      this.#paceTimer = undefined
      this.drained()
    }, waitMs)
    return false
  }

  #fallBack(): void {
    this.#catchingUp = true
    this.#blockedSince = undefined
    this.start()
  }

  async #catchUp(): Promise<void> {
    const { reads, filter, sink, realtime } = this.#options
    while (!this.#closed) {
      if (!sink.writable()) await this.#untilWritable()
      if (this.#closed) return
      const answer = await reads.read(this.taskId, filter, this.#cursor, this.#filter.matchesAll)
      if (this.#closed) return
      await this.#deliverStored(answer)
      if (this.#closed) return
      if (this.#cursor < answer.lastSeq) continue
      if (!this.#announced) {
        this.#announced = true
        sink.live(this.#cursor)
      }
      if (!realtime) return
      if (this.#joined()) break
    }
    this.#flush()
  }

  async #untilWritable(): Promise<void> {
    while (!this.#closed && !this.#options.sink.writable())
      await new Promise<void>(resolve => (this.#wake = resolve))
  }

  /** Batch by batch as the transport takes them: of short lines a part has many, and their JSON is far larger than the part. */
  async #deliverStored(answer: StoredPart): Promise<void> {
    const { sink, onSent } = this.#options
    // What is delivered is let go of: entries and JSON are made then, and would add up while a slow reader takes the rest.
    for (let batch = answer.batches.shift(); batch; batch = answer.batches.shift()) {
      if (!sink.writable()) await this.#untilWritable()
      if (this.#closed) return
      if (batch.lastSeq > this.#cursor) this.#deliver(batch.after(this.#cursor))
    }
    if (answer.entries.length > 0) {
      sink.entries(answer.entries)
      onSent(answer.entries.length, 0)
    }
    this.#cursor = Math.max(this.#cursor, answer.cursor)
  }

  /** Whether the queue goes on where the stored part ended. */
  #joined(): boolean {
    while (this.#queue[0] && this.#queue[0].lastSeq <= this.#cursor)
      this.#queuedBytes -= this.#queue.shift()!.weight
    if (this.#queue[0] && (this.#filter.regex || this.#queue[0].firstSeq > this.#cursor + 1)) return false
    const behind = this.#reached > (this.#queue.at(-1)?.lastSeq ?? this.#cursor)
    this.#reached = 0
    if (behind) return false
    this.#catchingUp = false
    return true
  }
}
