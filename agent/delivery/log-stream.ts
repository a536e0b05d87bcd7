import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from '#protocol/id-text.ts'
import { BufferPool } from './buffer-pool.ts'
import { type SpoolMeta, thisProcess } from './meta.ts'
import { Notes } from './notes.ts'
import { Outbox } from './outbox.ts'
import { SendQueue } from './queue.ts'
import type { SpoolRecord } from './record.ts'
import { Room } from './room.ts'
import { Sender, type SenderEvents } from './sender.ts'
import { Spool } from './spool.ts'

/** How often an agent shows other hosts, which cannot see its process, that its spool is in use. */
const PULSE_MS = 15_000
/** How often a disk that takes nothing is tried again. */
const DISK_RETRY_MS = 500

export interface StreamSettings {
  spoolDir: string
  /** Why that is not where it was wanted. */
  spoolTrouble: string | undefined
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

/** Whose lines these are. */
export interface Writer {
  taskId: string
  agentId: string
  /** Asked at each connection. */
  token(): string | undefined
}

export interface StreamEvents extends Pick<SenderEvents, 'input'> {
  cancel(message: string | undefined): void
  /** The task is not this agent's any more. */
  lost(message: string): void
  /** Reading is to stop (true) or go on (false): the spool is full, or has room again. */
  pressure(stop: boolean): void
  /** Errors. */
  warn(message: string): void
  say(message: string): void
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
  readonly #notes: Notes
  readonly #room: Room
  readonly #timers: NodeJS.Timeout[]
  #warned = false
  #progressAt = performance.now()
  #refused = false

  constructor(settings: StreamSettings, { taskId, agentId, token }: Writer, events: StreamEvents) {
    this.#settings = settings
    this.#events = events
    if (settings.spoolTrouble) events.warn(settings.spoolTrouble)
    const streamId = uuidv7()
    const { apiUrl, websocketUrl } = settings
    const meta: SpoolMeta = {
      version: 1,
      taskId,
      streamId,
      agentId,
      apiUrl,
      websocketUrl,
      owner: thisProcess(),
    }
    this.#spool = Spool.create(join(settings.spoolDir, streamId))
    this.#notes = new Notes(this.#spool.dir, meta)
    this.#timers = [
      setInterval(() => touch(this.#spool.dir), PULSE_MS),
      setInterval(() => this.#mend(), DISK_RETRY_MS),
    ]
    this.#room = new Room(this.#spool, settings.spoolMaxBytes, {
      pressure: stop => events.pressure(stop),
      slowed: reason => this.#tellSlowed(reason),
    })
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

  get dir(): string {
    return this.#spool.dir
  }

  /** Notes what is to be told, so that a later agent can tell it. `undefined` once it has been told. */
  note(
    change: Pick<SpoolMeta, 'runs' | 'start' | 'finish' | 'child' | 'observations' | 'folder' | 'keeps'>,
  ): void {
    // Who reads that a script has ended finds its lines.
    this.outbox.cut()
    this.#notes.note(change)
  }

  /**
   * Ends the stream and waits until the server has all of it, up to `drainMs`, and longer as long as it goes on.
   * @returns whether everything is stored
   */
  async end(drainMs: number): Promise<boolean> {
    this.outbox.cut()
    this.#notes.note({ endN: this.outbox.n })
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

  /** What becomes of the lines that are missing, in words. */
  get fate(): string {
    this.#mend()
    const { trouble, dir, safeN } = this.#spool
    const lost = this.outbox.n - Math.max(safeN, this.sender.storedN)
    const kept = `kept in ${dir} and delivered by the next keruta command`
    if (lost === 0 && !this.#notes.stale) return kept
    const why = trouble ? `the spool ${dir} cannot be written (${trouble.message})` : 'the spool was full'
    return lost < this.missing
      ? `${lost} lines are lost because ${why}, the rest is ${kept}`
      : `lost because ${why}`
  }

  /** Lets go. The spool is removed where nothing is left in it to tell. */
  close(told: boolean): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.sender.stop()
    if (told && !this.#notes.keeps) this.#spool.remove()
    else {
      this.#notes.note({ told, owner: { ...thisProcess(), gaveUp: true } })
      this.#spool.close()
    }
  }

  #keep(record: SpoolRecord): void {
    if (this.sender.stopped && this.#room.full) {
      this.#pool.give(record.bytes)
      return
    }
    const at = this.#spool.append(record)
    this.#queue.add(record, at)
    this.#room.check()
    if (this.#spool.trouble && !this.#warned) {
      this.#warned = true
      this.#events.warn(
        `the spool ${this.#spool.dir} cannot be written (${this.#spool.trouble.message}): lines are kept in memory until they are delivered`,
      )
    }
    this.sender.wake()
  }

  /** Writes to the disk again what it did not take. */
  #mend(): void {
    if (this.#spool.trouble && this.#spool.retry())
      this.#events.explain(`the spool ${this.#spool.dir} can be written again`)
    this.#notes.retry()
    this.#room.check()
  }

  #tellSlowed(reason: string): void {
    const message = `${reason} with ${this.missing} lines that the server has not stored yet: the script is slowed down until there is room`
    this.#events.warn(message)
    this.outbox.say(2, message)
  }

  #senderEvents(): SenderEvents {
    return {
      stored: () => {
        this.#progressAt = performance.now()
        this.#room.check()
      },
      cancel: message => this.#events.cancel(message),
      input: input => this.#events.input?.(input),
      lost: message => this.#events.lost(message),
      trouble: (message, fatal) => {
        if (this.sender.stopped) this.#room.giveUp()
        if (fatal) this.#refused = true
        if (fatal) this.#events.warn(message)
        else this.#events.say(message)
      },
      connected: () => {
        this.#refused = false
        this.#progressAt = performance.now()
        this.#events.explain(`connected for lines, of which the server has ${this.sender.storedN}`)
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
