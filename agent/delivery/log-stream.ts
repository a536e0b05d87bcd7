import { utimesSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from '#protocol/id-text.ts'
import type { FailTask, StartTask, SuccessTask } from '#protocol/task.ts'
import { BufferPool } from './buffer-pool.ts'
import { type SpoolMeta, thisProcess, writeMeta } from './meta.ts'
import { Outbox } from './outbox.ts'
import { SendQueue } from './queue.ts'
import type { SpoolRecord } from './record.ts'
import { Sender, type SenderEvents } from './sender.ts'
import { Spool } from './spool.ts'

/** How often an agent shows other hosts, which cannot see its process, that its spool is in use. */
const PULSE_MS = 15_000

export interface StreamSettings {
  spoolDir: string
  spoolMaxBytes: number
  apiUrl: string
  /** Without the task: `ws://host/ws/tasks`. */
  websocketUrl: string
  bufferLines: number
  batchLines: number
  flushIntervalMs: number
  reconnectMs: number
  retryMs: number
  /** Attempts to connect once the stream has ended. */
  maxReconnectAttempts: number
}

export interface StreamEvents {
  cancel(message: string | undefined): void
  /** Reading is to stop (true) or go on (false): the spool is full, or has room again. */
  pressure(stop: boolean): void
  /** For stderr. */
  say(message: string): void
  /** For stderr with `--verbose`. */
  explain(message: string): void
}

/** One stream of one task: takes lines, keeps them in the spool until they are stored, and records what else is to be told. */
export class LogStream {
  readonly outbox: Outbox
  readonly sender: Sender
  readonly #settings: StreamSettings
  readonly #events: StreamEvents
  readonly #spool: Spool
  readonly #queue: SendQueue
  readonly #pool = new BufferPool()
  readonly #meta: SpoolMeta
  readonly #pulse: NodeJS.Timeout
  #full = false
  #warned = false
  #progressAt = performance.now()
  #refused = false

  constructor(
    settings: StreamSettings,
    taskId: string,
    token: () => string | undefined,
    events: StreamEvents,
  ) {
    this.#settings = settings
    this.#events = events
    const streamId = uuidv7()
    const agentId = `${hostname().slice(0, 100)}:${process.pid}`
    const { apiUrl, websocketUrl } = settings
    this.#meta = { version: 1, taskId, streamId, agentId, apiUrl, websocketUrl, owner: thisProcess() }
    this.#spool = new Spool(join(settings.spoolDir, streamId))
    writeMeta(this.#spool.dir, this.#meta)
    this.#pulse = setInterval(() => touch(this.#spool.dir), PULSE_MS)
    this.#queue = new SendQueue(this.#spool, this.#pool, settings.bufferLines)
    this.outbox = new Outbox(streamId, this.#pool, record => this.#keep(record))
    this.sender = new Sender({
      url: `${websocketUrl}/${encodeURIComponent(taskId)}`,
      token,
      streamId,
      agentId,
      queue: this.#queue,
      spool: this.#spool,
      pool: this.#pool,
      batchLines: settings.batchLines,
      flushIntervalMs: settings.flushIntervalMs,
      reconnectMs: settings.reconnectMs,
      retryMs: settings.retryMs,
      on: this.#senderEvents(),
    })
  }

  get agentId(): string {
    return this.#meta.agentId
  }

  get dir(): string {
    return this.#spool.dir
  }

  /** Notes what is to be told, so that a later agent can tell it. `undefined` once it has been told. */
  note(change: {
    runs?: boolean
    start?: StartTask
    finish?: { success: SuccessTask } | { fail: FailTask }
  }): void {
    Object.assign(this.#meta, change)
    writeMeta(this.#spool.dir, this.#meta)
  }

  /**
   * Ends the stream and waits until the server has all of it, up to `drainMs`, and longer as long as it goes on.
   * @returns whether everything is stored
   */
  async end(drainMs: number): Promise<boolean> {
    this.outbox.cut()
    this.#meta.endN = this.outbox.n
    writeMeta(this.#spool.dir, this.#meta)
    this.#progressAt = performance.now()
    const attemptsBefore = this.sender.attempts
    const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<false>()
    const check = setInterval(() => {
      const attempts = this.sender.attempts - attemptsBefore
      const hopeless = this.#refused || attempts > this.#settings.maxReconnectAttempts
      if (hopeless || performance.now() - this.#progressAt > drainMs) giveUp(false)
    }, 50)
    const complete = this.sender.end(this.outbox.n).then(() => true as const)
    const done = this.#refused ? false : await Promise.race([complete, gaveUp])
    clearInterval(check)
    return done
  }

  /** Lines that the server is not known to have. */
  get missing(): number {
    return this.outbox.n - this.sender.storedN
  }

  /** Lets go. The spool is removed where nothing is left in it to tell. */
  close(told: boolean): void {
    clearInterval(this.#pulse)
    this.sender.stop()
    if (told) this.#spool.remove()
    else this.#spool.close()
  }

  #keep(record: SpoolRecord): void {
    try {
      const at = this.#spool.append(record)
      this.#queue.add(record, at)
    } catch (error) {
      throw new Error(`the spool ${this.#spool.dir} cannot be written: ${(error as Error).message}`, {
        cause: error,
      })
    }
    if (!this.#full && this.#spool.bytes >= this.#settings.spoolMaxBytes) this.#stopReading()
    this.sender.wake()
  }

  #stopReading(): void {
    this.#full = true
    this.#events.pressure(true)
    if (this.#warned) return
    this.#warned = true
    const { spoolMaxBytes } = this.#settings
    const lines = this.missing
    this.outbox.say(
      2,
      `the spool has reached ${Math.round(spoolMaxBytes / 1_048_576)} MB (KERUTA_SPOOL_MAX_MB) with ${lines} lines that the server has not stored yet: the script is slowed down until there is room`,
    )
  }

  #senderEvents(): SenderEvents {
    const say = (message: string) => this.#events.say(message)
    return {
      stored: () => {
        this.#progressAt = performance.now()
        if (this.#full && this.#spool.bytes < this.#settings.spoolMaxBytes * 0.9) {
          this.#full = false
          this.#events.pressure(false)
        }
      },
      cancel: message => this.#events.cancel(message),
      trouble: (message, fatal) => {
        if (fatal) this.#refused = true
        say(message)
      },
      connected: () => {
        this.#refused = false
        this.#progressAt = performance.now()
      },
      disconnected: reason => this.#events.explain(`no connection for lines now: ${reason}`),
    }
  }
}

function touch(dir: string): void {
  const now = new Date()
  try {
    utimesSync(dir, now, now)
  } catch {
    // Only a hint for others; the next write to the spool will tell what is wrong.
  }
}
