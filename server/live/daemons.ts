import type { Serving } from '#protocol/session.ts'
import type { BusEvent } from './bus/events.ts'

export interface DaemonsOptions {
  send(event: BusEvent): void
  /** Who serves the session is another now. */
  onChange(sessionId: string): void
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** How many daemons of a session are connected to a server, and when one was last seen there. */
type Presence = Extract<BusEvent, { type: 'daemons' }>['sessions']

const SAY_EVERY_MS = 5000
const SILENT_MS = 3 * SAY_EVERY_MS
/** From so many sessions on those that nobody serves are forgotten. */
const MAX_SEEN = 10_000

/**
 * Which sessions have an agent that serves them, here or on another server. It is known of what lives, not kept: a server that
 * starts has seen nobody yet, and one that falls silent is forgotten with its daemons.
 */
export class Daemons {
  readonly #options: DaemonsOptions
  readonly #counts = new Map<string, number>()
  readonly #seenAt = new Map<string, number>()
  readonly #servers = new Map<string, { sessions: Presence; heardAt: number }>()
  readonly #timer: NodeJS.Timeout

  constructor(options: DaemonsOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#beat(), SAY_EVERY_MS).unref()
  }

  of(sessionId: string): Serving {
    const others = [...this.#servers.values()].map(({ sessions }) => sessions[sessionId] ?? 0)
    const daemons = others.reduce((sum, n) => sum + n, this.#counts.get(sessionId) ?? 0)
    const seenAt = daemons > 0 ? this.#options.clock() : this.#seenAt.get(sessionId)
    return { daemons, lastSeenAt: seenAt === undefined ? null : new Date(seenAt).toISOString() }
  }

  /** A daemon has connected here. @returns to be called when it goes */
  arrive(sessionId: string): () => void {
    this.#count(sessionId, 1)
    return () => this.#count(sessionId, -1)
  }

  /** An agent has asked for work here; one that does so and is not connected asks from time to time. */
  asked(sessionId: string): void {
    this.#see(sessionId)
  }

  take(event: BusEvent, origin: string): void {
    if (event.type === 'hello') this.#say()
    if (event.type !== 'daemons') return
    const before = this.#servers.get(origin)?.sessions ?? {}
    this.#servers.set(origin, { sessions: event.sessions, heardAt: this.#options.clock() })
    this.#tell(before, event.sessions)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #count(sessionId: string, change: number): void {
    const count = (this.#counts.get(sessionId) ?? 0) + change
    if (count > 0) this.#counts.set(sessionId, count)
    else this.#counts.delete(sessionId)
    this.#see(sessionId)
    this.#say()
    this.#options.onChange(sessionId)
  }

  #see(sessionId: string): void {
    if (this.#seenAt.size >= MAX_SEEN)
      for (const id of this.#seenAt.keys()) if (this.of(id).daemons === 0) this.#seenAt.delete(id)
    this.#seenAt.set(sessionId, this.#options.clock())
  }

  #say(): void {
    this.#options.send({ type: 'daemons', sessions: Object.fromEntries(this.#counts) })
  }

  /** What is another on some server. */
  #tell(before: Presence, after: Presence): void {
    for (const sessionId of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (before[sessionId] === after[sessionId]) continue
      this.#see(sessionId)
      this.#options.onChange(sessionId)
    }
  }

  #beat(): void {
    this.#say()
    for (const [origin, { sessions, heardAt }] of this.#servers) {
      if (this.#options.clock() - heardAt < SILENT_MS) continue
      this.#servers.delete(origin)
      this.#tell(sessions, {})
    }
  }
}
