import type { ErrorCode } from '#protocol/errors.ts'
import type { TaskInput } from '#protocol/task-calls.ts'
import { backoffMs } from './backoff.ts'
import type { BufferPool } from './buffer-pool.ts'
import { type AnswerFrame, Connection } from './connection.ts'
import { InFlight } from './in-flight.ts'
import type { Batch, SendQueue } from './queue.ts'
import type { Spool } from './spool.ts'

export interface SenderOptions {
  /** `ws://host/ws/tasks/{taskId}` */
  url: string
  /** Read at each connection. */
  token(): string | undefined
  streamId: string
  agentId: string
  queue: SendQueue
  spool: Spool
  pool: BufferPool
  batchLines: number
  flushIntervalMs: number
  /** Longest wait between two attempts to connect. */
  reconnectMs: number
  /** Wait after an error of the server that names no time. */
  retryMs: number
  on: SenderEvents
}

export interface SenderEvents {
  /** Every line up to `n` is durable at the server. */
  stored(n: number): void
  cancel(message: string | undefined): void
  /** Something for the script's stdin; comes again, over each connection, until `inputTaken`. */
  input?(input: Omit<TaskInput, 'createdAt'>): void
  /** The task is not this agent's any more. */
  lost(message: string): void
  /** Something that a person should hear of once. `fatal`: trying again will not help. */
  trouble(message: string, fatal: boolean): void
  connected(): void
  disconnected?(reason: string): void
}

/** Frames in flight below which a batch goes without waiting for company. */
const EAGER_FRAMES = 2
/** Small frames are not sent closer to one another than this, or the server would have to refuse for their number. */
const SPACING_MS = 2
const SMALL_BYTES = 64 * 1024
const REFUSED_RETRY_MS = 30_000

/** Brings one stream's lines to the server: connects, resumes where the server stands, keeps several frames in flight. */
export class Sender {
  readonly #options: SenderOptions
  readonly #inFlight = new InFlight()
  #connection: Connection | undefined
  #streaming = false
  #storedN = 0
  #endN: number | undefined
  #endSent = false
  #complete = Promise.withResolvers<void>()
  #attempt = 0
  #sentAt = 0
  #timer: NodeJS.Timeout | undefined
  #blocked = false
  #stopped = false
  #told = new Set<string>()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Highest line that the server has. */
  get storedN(): number {
    return this.#storedN
  }

  /** Whether it has given up for good. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Whether the server hears from it now. */
  get connected(): boolean {
    return this.#streaming
  }

  /** Attempts to connect since the last connection. */
  get attempts(): number {
    return this.#attempt
  }

  start(): void {
    if (this.#stopped || this.#connection) return
    clearTimeout(this.#timer)
    this.#attempt++
    const { url, token } = this.#options
    this.#connection = new Connection(url, token(), {
      open: () =>
        this.#connection?.sendFrame({
          type: 'hello',
          streamId: this.#options.streamId,
          agentId: this.#options.agentId,
        }),
      frame: frame => this.#onFrame(frame),
      closed: (reason, status) => this.#onClosed(reason, status),
    })
  }

  /** Something was added to the queue. */
  wake(): void {
    if (this.#streaming && !this.#blocked) this.#pump()
  }

  /** The script has this input. */
  inputTaken(id: string): void {
    this.#connection?.sendFrame({ type: 'inputTaken', id })
  }

  /** Resolves once the server says that it has all `n` lines of the stream. */
  end(n: number): Promise<void> {
    this.#endN = n
    this.wake()
    return this.#complete.promise
  }

  stop(): void {
    this.#stopped = true
    this.#streaming = false
    clearTimeout(this.#timer)
    this.#connection?.close()
    this.#connection = undefined
  }

  #onFrame(frame: AnswerFrame): void {
    const { on, streamId } = this.#options
    if ('streamId' in frame && frame.streamId !== undefined && frame.streamId !== streamId) return
    switch (frame.type) {
      case 'welcome':
        this.#resume(frame.n)
        break
      case 'ack':
        this.#acknowledged(frame.n)
        break
      case 'complete':
        this.#acknowledged(frame.n)
        this.#complete.resolve()
        break
      case 'input':
        on.input?.(frame)
        break
      case 'cancel':
        on.cancel(frame.message ?? undefined)
        break
      case 'error':
        // Only a heartbeat is answered so.
        if (frame.code === 'ILLEGAL_TRANSITION') on.lost(frame.message)
        else this.#onError(frame.code, frame.message, frame.n, frame.retryAfterMs)
        break
    }
  }

  #resume(n: number): void {
    this.#attempt = 0
    this.#told.clear()
    if (n < this.#storedN) {
      this.#giveUp(
        `the server has lost lines ${n + 1} to ${this.#storedN}, which it had stored; the rest stays in the spool`,
      )
      return
    }
    this.#goBackTo(n)
    this.#acknowledged(n)
    this.#streaming = true
    this.#endSent = false
    this.#options.on.connected()
    this.#connection?.beat()
    this.#pump()
  }

  #acknowledged(n: number): void {
    if (n > this.#storedN) {
      this.#storedN = n
      this.#inFlight.acknowledge(n)
      this.#options.spool.release(n)
      this.#options.on.stored(n)
    }
    this.wake()
  }

  /** Lines after `n` that were sent are to be sent again. */
  #goBackTo(n: number): void {
    const first = this.#inFlight.clear(n)
    if (first) this.#options.queue.rewind(first.at, first.firstN)
    this.#endSent = false
  }

  #onError(code: ErrorCode, message: string, n: number | undefined, retryAfterMs: number | undefined): void {
    const { retryMs } = this.#options
    if (code === 'BAD_SEGMENT') {
      this.#giveUp(`the server cannot read this agent's lines (${message}); they stay in the spool`)
      return
    }
    if (code === 'FORBIDDEN' || code === 'UNAUTHENTICATED') {
      this.#tell(
        `the server refuses this agent's lines (${message}); check the token (--token or KERUTA_API_TOKEN)`,
        true,
      )
      this.#connection?.close()
      this.#connection = undefined
      this.#onClosed(message, 403)
      return
    }
    this.#goBackTo(n ?? this.#storedN)
    if (code !== 'RATE_LIMITED' && code !== 'OUT_OF_ORDER')
      this.#tell(`the server cannot store lines now (${message}); they are kept and sent again`, false)
    this.#block(retryAfterMs ?? (code === 'OUT_OF_ORDER' ? 50 : retryMs))
  }

  #block(ms: number): void {
    this.#blocked = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#blocked = false
      this.wake()
    }, ms)
  }

  #onClosed(reason: string, status?: number): void {
    this.#connection = undefined
    this.#streaming = false
    this.#blocked = false
    clearTimeout(this.#timer)
    if (this.#stopped) return
    const { on, reconnectMs } = this.#options
    const refused = status === 401 || status === 403
    if (refused)
      this.#tell(
        'the server refuses the token (--token or KERUTA_API_TOKEN); lines are kept in the spool',
        true,
      )
    else on.disconnected?.(reason)
    this.#timer = setTimeout(
      () => this.start(),
      refused ? REFUSED_RETRY_MS : backoffMs(this.#attempt + 1, reconnectMs, Math.random()),
    )
  }

  #tell(message: string, fatal: boolean): void {
    if (this.#told.has(message)) return
    this.#told.add(message)
    this.#options.on.trouble(message, fatal)
  }

  #pump(): void {
    const { queue } = this.#options
    while (!this.#inFlight.isFull) {
      const waitMs = this.#waitBeforeNext()
      if (waitMs > 0) {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => this.wake(), waitMs)
        return
      }
      const batch = this.#take()
      if (batch === undefined) break
      this.#send(batch)
    }
    if (
      this.#endN !== undefined &&
      !this.#endSent &&
      this.#inFlight.frames === 0 &&
      Math.max(queue.takenN, this.#storedN) >= this.#endN
    ) {
      this.#endSent = true
      this.#connection?.sendFrame({ type: 'end', streamId: this.#options.streamId, n: this.#endN })
    }
  }

  #take(): Batch | undefined {
    const { queue } = this.#options
    try {
      return queue.take(this.#storedN)
    } catch (error) {
      this.#giveUp(
        `lines after ${queue.takenN} cannot be read from the spool (${(error as Error).message}), and no more are sent`,
      )
      return undefined
    }
  }

  #giveUp(message: string): void {
    this.stop()
    this.#options.on.trouble(message, true)
  }

  /** 0: what waits is to go now. Under load it waits for company, but not beyond the thresholds. */
  #waitBeforeNext(): number {
    const { lines, bytes, since } = this.#options.queue.waiting
    if (lines === 0 || bytes >= SMALL_BYTES || this.#endN !== undefined) return 0
    const now = performance.now()
    const spacing = this.#sentAt + SPACING_MS - now
    if (this.#inFlight.frames < EAGER_FRAMES || lines >= this.#options.batchLines) return spacing
    return Math.max(spacing, since + this.#options.flushIntervalMs - now)
  }

  #send(batch: Batch): void {
    this.#inFlight.add(batch)
    this.#sentAt = performance.now()
    this.#connection?.sendBytes(batch.frame, () => this.#options.pool.give(batch.frame))
  }
}
