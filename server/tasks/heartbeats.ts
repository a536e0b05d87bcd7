import type { Task } from '#protocol/task.ts'
import type { Collection } from '#server/store/store.ts'
import { FRESH_MS, type Leases } from './leases.ts'
import { leaseFrom } from './transitions.ts'

export interface HeartbeatsDeps {
  tasks: Collection<Task>
  leases: Leases
  clock: () => number
  /** A clock in ms that never goes back. */
  monotonic: () => number
}

/** How long heartbeats are gathered: all runs of a server are renewed by a write a second. */
const GATHER_MS = 1000
const MAX_BATCH = 500

interface Beat {
  taskId: string
  agentId: string
  settled: PromiseWithResolvers<void>
}

/** Heartbeats of many connections. */
export class Heartbeats {
  readonly #deps: HeartbeatsDeps
  readonly #waiting = new Map<string, Beat>()
  readonly #renewedAt = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps
  }

  /** Like `Leases.heartbeat`, up to a second later. */
  async beat(taskId: string, agentId: string): Promise<void> {
    const key = `${taskId} ${agentId}`
    if (this.#isFresh(key)) return
    const beat = this.#waiting.get(key) ?? { taskId, agentId, settled: Promise.withResolvers<void>() }
    this.#waiting.set(key, beat)
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS)
    return beat.settled.promise
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #flush(): void {
    this.#timer = undefined
    const beats = [...this.#waiting]
    this.#waiting.clear()
    for (const key of this.#renewedAt.keys()) if (!this.#isFresh(key)) this.#renewedAt.delete(key)
    for (let from = 0; from < beats.length; from += MAX_BATCH)
      void this.#renew(beats.slice(from, from + MAX_BATCH))
  }

  async #renew(beats: [key: string, beat: Beat][]): Promise<void> {
    const { tasks, leases, clock, monotonic } = this.#deps
    const now = monotonic()
    const where = {
      id: { in: beats.map(([, { taskId }]) => taskId) },
      agentId: { in: beats.map(([, { agentId }]) => agentId) },
      status: 'PROCESSING' as const,
      leaseUntil: { not: null },
    }
    const renewed = await tasks.update(where, { leaseUntil: leaseFrom(clock()) }).catch((error: unknown) => {
      for (const [, { settled }] of beats) settled.reject(error)
    })
    if (renewed === undefined) return
    for (const [key, { taskId, agentId, settled }] of beats) {
      const done = () => {
        this.#renewedAt.set(key, now)
        settled.resolve()
      }
      // Some run is not its agent's any more, or was taken for lost.
      if (renewed === beats.length) done()
      else leases.heartbeat(taskId, agentId).then(done, settled.reject)
    }
  }

  #isFresh(key: string): boolean {
    return this.#deps.monotonic() - (this.#renewedAt.get(key) ?? Number.NEGATIVE_INFINITY) < FRESH_MS
  }
}
