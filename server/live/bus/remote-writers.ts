import type { BusEvent } from './events.ts'

export interface RemoteWritersOptions {
  /** Tasks with senders on this server. */
  own(): string[]
  send(event: BusEvent): void
  /** The last senders of these tasks went with their server. */
  onGone(taskIds: string[]): void
  now: () => number
}

const SAY_EVERY_MS = 5000
const SILENT_MS = 3 * SAY_EVERY_MS

/** Which tasks have a sender on another server. A server that falls silent is forgotten with all its senders. */
export class RemoteWriters {
  readonly #options: RemoteWritersOptions
  readonly #servers = new Map<string, { taskIds: Set<string>; heardAt: number }>()
  readonly #timer: NodeJS.Timeout

  constructor(options: RemoteWritersOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#beat(), SAY_EVERY_MS).unref()
    options.send({ type: 'hello' })
  }

  has(taskId: string): boolean {
    for (const { taskIds } of this.#servers.values()) if (taskIds.has(taskId)) return true
    return false
  }

  take(event: BusEvent, origin: string): void {
    const { now, own, send } = this.#options
    if (event.type === 'hello') send({ type: 'writers', taskIds: own() })
    else if (event.type === 'writers')
      this.#servers.set(origin, { taskIds: new Set(event.taskIds), heardAt: now() })
    else if (event.type === 'writer') {
      const server = this.#servers.get(origin) ?? { taskIds: new Set(), heardAt: now() }
      this.#servers.set(origin, server)
      if (event.here) server.taskIds.add(event.taskId)
      else server.taskIds.delete(event.taskId)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const { now, own, send, onGone } = this.#options
    send({ type: 'writers', taskIds: own() })
    for (const [origin, { taskIds, heardAt }] of this.#servers) {
      if (now() - heardAt < SILENT_MS) continue
      this.#servers.delete(origin)
      const gone = [...taskIds].filter(taskId => !this.has(taskId))
      if (gone.length > 0) onGone(gone)
    }
  }
}
