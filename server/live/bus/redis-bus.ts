import { randomBytes } from 'node:crypto'
import type { Segment } from '#protocol/segment.ts'
import type { Bus, EventListener, LineListener } from './bus.ts'
import { type BusEvent, busEventSchema } from './events.ts'
import { decodeLines, encodeLines, ORIGIN_BYTES } from './lines-message.ts'
import { LocalBus } from './local-bus.ts'
import type { Redis } from './redis.ts'
import { problemOf, refusalOf } from './redis-problem.ts'

export interface RedisBusOptions {
  redis: Redis
  /** Of the servers that belong together; others may use the same Redis. */
  name: string
  logger: { warn(details: object, message: string): void; info(message: string): void }
  /** How often listeners look into the store while Redis is away, ms. */
  pollMs?: number
  /** The same while it is there: the last message before a silence may have been lost. */
  compareMs?: number
}

/** What Redis has not taken yet; what is more is left out, and the others are told to look into the store. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024

/**
 * Connects, and resolves when it is known whether that works; it goes on trying.
 * @throws KerutaError, with a message for the operator, where Redis refuses this user
 */
export async function openRedisBus(options: RedisBusOptions): Promise<Bus> {
  const bus = new RedisBus(options)
  await bus.connect()
  const { host, port } = options.redis.options
  const refusal = refusalOf(bus.lastError, `${host}:${port}`)
  if (refusal) {
    await bus.close()
    throw refusal
  }
  bus.begin()
  return bus
}

/** Several servers tell one another by Redis' channels: one for each task that somebody reads, one for all events. */
class RedisBus implements Bus {
  readonly #local = new LocalBus()
  readonly #origin = randomBytes(ORIGIN_BYTES)
  readonly #originText = this.#origin.toString('hex')
  readonly #options: RedisBusOptions
  readonly #sender: Redis
  readonly #receiver: Redis
  readonly #eventChannel: string
  readonly #linePrefix: string
  #eventListener: EventListener | undefined
  #subscribed = false
  #wasUp = true
  /** Why it is away, as far as it is known. */
  lastError: unknown
  #unsentBytes = 0
  #lost = false
  #ticks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: RedisBusOptions) {
    this.#options = options
    this.#sender = options.redis
    this.#receiver = options.redis.duplicate()
    this.#eventChannel = `keruta:${options.name}:events`
    this.#linePrefix = `keruta:${options.name}:lines:`
    this.#receiver.on('messageBuffer', (channel: Buffer, message: Buffer) =>
      this.#take(channel.toString(), message),
    )
    for (const connection of [this.#sender, this.#receiver]) {
      connection.on('error', error => {
        this.lastError = error
      })
      connection.on('close', () => this.#changed())
    }
    this.#receiver.on('close', () => {
      this.#subscribed = false
    })
    this.#receiver.on('ready', () => void this.#subscribeAll())
    this.#sender.on('ready', () => this.#changed())
  }

  async connect(): Promise<void> {
    const opened = new Promise<void>(resolve => {
      const first = () => resolve()
      this.#receiver.once('close', first)
      this.#eventListener = { event: () => {}, missed: first }
    })
    await Promise.allSettled([this.#sender, this.#receiver].map(connection => connect(connection)))
    await opened
  }

  begin(): void {
    const { pollMs = 2000, compareMs = 15_000 } = this.#options
    this.#timer = setInterval(() => this.#tick(Math.max(1, Math.round(compareMs / pollMs))), pollMs)
    this.#changed()
  }

  publish(taskId: string, firstSeq: number, segment: Segment): void {
    this.#local.publish(taskId, firstSeq, segment)
    this.#tell(this.#linePrefix + taskId, () => encodeLines(this.#origin, firstSeq, segment))
  }

  listen(taskId: string, listener: LineListener): () => void {
    const first = !this.#local.hasListeners(taskId)
    const end = this.#local.listen(taskId, listener)
    if (first && this.#subscribed) void this.#subscribe([taskId])
    return () => {
      end()
      if (!this.#local.hasListeners(taskId) && this.#subscribed)
        this.#receiver.unsubscribe(this.#linePrefix + taskId).catch(() => {})
    }
  }

  send(event: BusEvent): void {
    this.#tell(this.#eventChannel, () => Buffer.from(JSON.stringify({ origin: this.#originText, event })))
  }

  onEvent(listener: EventListener): void {
    this.#eventListener = listener
  }

  problem(): string | undefined {
    if (this.#sender.status === 'ready' && this.#subscribed) return undefined
    const why = this.lastError === undefined ? 'it ends the connections' : problemOf(this.lastError)
    return `Redis is away (${why}): lines of other servers come from the store, up to 2 s later`
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#wasUp = true
    this.#eventListener = undefined
    for (const connection of [this.#sender, this.#receiver]) {
      connection.removeAllListeners('close')
      connection.disconnect()
    }
  }

  #tell(channel: string, messageOf: () => Buffer): void {
    if (this.#sender.status !== 'ready' || this.#unsentBytes > MAX_UNSENT_BYTES) {
      this.#lost = true
      return
    }
    const message = messageOf()
    this.#unsentBytes += message.length
    const settled = (sent: boolean) => {
      this.#unsentBytes -= message.length
      if (!sent) this.#lost = true
      else if (this.#lost && this.#unsentBytes < MAX_UNSENT_BYTES / 2) this.#tellOfLoss()
    }
    this.#sender.publish(channel, message).then(
      () => settled(true),
      () => settled(false),
    )
  }

  #tellOfLoss(): void {
    this.#lost = false
    this.send({ type: 'lost' })
  }

  #take(channel: string, message: Buffer): void {
    try {
      if (channel === this.#eventChannel) this.#takeEvent(message)
      else this.#takeLines(channel, message)
    } catch (err) {
      this.#options.logger.warn({ err, channel }, 'a message of another server is not understood')
      this.#missedAll()
    }
  }

  #takeLines(channel: string, message: Buffer): void {
    const taskId = channel.slice(this.#linePrefix.length)
    // Whoever it was for went while the subscription was made.
    if (!this.#local.hasListeners(taskId)) this.#receiver.unsubscribe(channel).catch(() => {})
    const lines = decodeLines(message, this.#origin)
    if (lines) this.#local.publish(taskId, lines.firstSeq, lines.segment)
  }

  #takeEvent(message: Buffer): void {
    const { origin, event } = JSON.parse(message.toString()) as { origin: string; event: unknown }
    if (origin === this.#originText) return
    const parsed = busEventSchema.parse(event)
    if (parsed.type === 'lost') this.#missedAll()
    else this.#eventListener?.event(parsed, origin)
  }

  async #subscribeAll(): Promise<void> {
    if (await this.#subscribe(this.#local.taskIds, [this.#eventChannel])) {
      this.#subscribed = true
      // Who came while that was under way.
      await this.#subscribe(this.#local.taskIds)
      this.#changed()
      this.#missedAll()
    }
  }

  /** @returns whether Redis has confirmed it; what was published before that did not come */
  async #subscribe(taskIds: string[], channels: string[] = []): Promise<boolean> {
    const all = [...channels, ...taskIds.map(taskId => this.#linePrefix + taskId)]
    if (all.length === 0) return true
    try {
      await this.#receiver.subscribe(...all)
      for (const taskId of taskIds) this.#local.missed(taskId)
      return true
    } catch (error) {
      // A lost connection subscribes anew when it is back; whatever else it is must begin again too.
      this.lastError = error
      this.#receiver.stream?.destroy()
      return false
    }
  }

  /** Says once that Redis went, or came back. */
  #changed(): void {
    const problem = this.problem()
    if (problem === undefined) this.lastError = undefined
    if (!this.#timer) return
    if (this.#sender.status === 'ready' && this.#lost) this.#tellOfLoss()
    if (this.#wasUp === (problem === undefined)) return
    this.#wasUp = problem === undefined
    if (problem === undefined) this.#options.logger.info('Redis is there again')
    else this.#options.logger.warn({}, problem)
  }

  #tick(compareEvery: number): void {
    this.#ticks++
    if (this.problem() !== undefined || this.#ticks % compareEvery === 0) this.#missedAll()
    // A connection whose other end is gone without a word would wait for ever.
    for (const connection of [this.#sender, this.#receiver])
      if (connection.status === 'ready')
        connection.ping().catch(error => {
          this.lastError = error
          connection.stream?.destroy()
        })
  }

  #missedAll(): void {
    this.#local.missed()
    this.#eventListener?.missed()
  }
}

function connect(connection: Redis): Promise<void> {
  return connection.status === 'wait' ? connection.connect() : Promise.resolve()
}
