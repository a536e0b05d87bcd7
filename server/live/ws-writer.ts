import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame } from '#protocol/frames.ts'
import type { NewEntry } from '#protocol/log.ts'
import { decodeSegmentFrame, type SegmentFrame } from '#protocol/segment-frame.ts'
import { PROTOCOL_VERSION } from '#protocol/version.ts'
import { StreamError } from '#server/logs/task-appender.ts'
import { errorFrame } from './frame-errors.ts'
import { TokenBucket } from './token-bucket.ts'
import type { ConnectionDeps } from './ws-connection.ts'

/** A sender that does not wait for acknowledgements is read no further than this. */
const MAX_UNCOMMITTED_BYTES = 16 * 1024 * 1024

/** The writing half of a WebSocket: lines in, acknowledgements out. */
export class SocketWriter {
  readonly #deps: ConnectionDeps
  readonly #send: (frame: ServerFrame) => void
  readonly #bucket: TokenBucket
  readonly #acks = new Map<string, number>()
  #allowed: Promise<void> | undefined
  #uncommitted = 0
  #leave: (() => void) | undefined
  #closed = false

  constructor(deps: ConnectionDeps, send: (frame: ServerFrame) => void) {
    this.#deps = deps
    this.#send = send
    this.#bucket = new TokenBucket(deps.maxMessagesPerSecond)
  }

  /** Whether lines of a stream come over this socket. */
  get active(): boolean {
    return this.#leave !== undefined
  }

  /** Announces a stream; the answer tells where it stands. @returns false where it was refused */
  async hello(streamId: string): Promise<boolean> {
    const { taskId, ingest, isCancelled } = this.#deps
    try {
      await this.#allow()
      this.#activate()
      this.#send({
        type: 'welcome',
        taskId,
        streamId,
        n: await ingest.streamHead(taskId, streamId),
        version: PROTOCOL_VERSION,
      })
      if (await isCancelled(taskId)) this.#send({ type: 'cancel', taskId })
      return true
    } catch (error) {
      this.#send(errorFrame(error))
      return false
    }
  }

  segment(data: Buffer): void {
    let frame: SegmentFrame
    try {
      frame = decodeSegmentFrame(data)
    } catch (error) {
      this.#send(errorFrame(new KerutaError('BAD_SEGMENT', (error as Error).message)))
      return
    }
    const { taskId, ingest } = this.#deps
    this.#write(frame.streamId, data.length, () =>
      ingest.appendSegment(taskId, frame.streamId, frame.firstN, frame.segment),
    )
  }

  /** @param bytes size of the frame */
  logs(streamId: string, entries: (NewEntry & { n: number })[], bytes: number): void {
    const { taskId, ingest } = this.#deps
    const firstN = entries[0]!.n
    if (entries.some((entry, index) => entry.n !== firstN + index)) {
      this.#send(errorFrame(new KerutaError('BAD_REQUEST', 'entries: n must count up by one')))
      return
    }
    this.#write(streamId, bytes, () => ingest.appendNumbered(taskId, streamId, firstN, entries))
  }

  log(entry: NewEntry, bytes: number): void {
    const { taskId, ingest } = this.#deps
    this.#write(undefined, bytes, async () => (await ingest.appendEntries(taskId, [entry])).lastSeq)
  }

  end(streamId: string, n: number): void {
    const { taskId, ingest } = this.#deps
    this.#allow()
      .then(() => ingest.endStream(taskId, streamId, n))
      .then(() => {
        this.#flushAcks()
        this.#send({ type: 'complete', streamId, n })
      })
      .catch(error => this.#refuse(error, streamId))
  }

  close(): void {
    this.#closed = true
    this.#leave?.()
    this.#leave = undefined
  }

  #write(streamId: string | undefined, bytes: number, append: () => Promise<number>): void {
    const retryAfterMs = this.#bucket.take()
    if (retryAfterMs > 0) {
      const limit = this.#deps.maxMessagesPerSecond
      const error = new KerutaError(
        'RATE_LIMITED',
        `more than ${limit} messages a second: put more lines into a message, or wait`,
        { retryAfterMs },
      )
      return void this.#refuse(error, streamId)
    }
    this.#hold(bytes)
    this.#whenAllowed(() => {
      if (streamId !== undefined) this.#activate()
      return append()
    })
      .then(n => streamId !== undefined && this.#acknowledge(streamId, n))
      .catch(error => this.#refuse(error, streamId))
      .finally(() => this.#release(bytes))
  }

  /** Once the right to write is known there is no further wait, so that lines keep their order. */
  #whenAllowed(append: () => Promise<number>): Promise<number> {
    return this.#allowed === ALLOWED ? append() : this.#allow().then(append)
  }

  #allow(): Promise<void> {
    const { access, principal, taskId } = this.#deps
    this.#allowed ??= access.write(principal, taskId).then(
      () => {
        this.#allowed = ALLOWED
      },
      error => {
        // The next frame asks again: a store that is away for a moment is no answer for good.
        this.#allowed = undefined
        throw error
      },
    )
    return this.#allowed
  }

  #acknowledge(streamId: string, n: number): void {
    if (this.#acks.size === 0) setImmediate(() => this.#flushAcks())
    this.#acks.set(streamId, Math.max(n, this.#acks.get(streamId) ?? 0))
  }

  #flushAcks(): void {
    for (const [streamId, n] of this.#acks) this.#send({ type: 'ack', streamId, n })
    this.#acks.clear()
  }

  async #refuse(error: unknown, streamId?: string): Promise<void> {
    if (streamId === undefined) return this.#send(errorFrame(error))
    const { taskId, ingest } = this.#deps
    const n =
      error instanceof StreamError
        ? error.n
        : await ingest.streamHead(taskId, streamId).catch(() => undefined)
    this.#send(errorFrame(error, n === undefined ? undefined : { streamId, n }))
  }

  #activate(): void {
    if (!this.#closed) this.#leave ??= this.#deps.writer(this.#deps.taskId)
  }

  #hold(bytes: number): void {
    this.#uncommitted += bytes
    if (this.#uncommitted > MAX_UNCOMMITTED_BYTES) this.#deps.ws.pause()
  }

  #release(bytes: number): void {
    this.#uncommitted -= bytes
    if (this.#deps.ws.isPaused && this.#uncommitted < MAX_UNCOMMITTED_BYTES / 2) this.#deps.ws.resume()
  }
}

const ALLOWED = Promise.resolve()
