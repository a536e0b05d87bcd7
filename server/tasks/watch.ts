import { setInterval } from 'node:timers/promises'
import { LEASE_SECONDS } from '#protocol/task-calls.ts'
import type { Store } from '#server/store/store.ts'
import type { TaskChanges } from './changes.ts'
import { Sightings } from './sightings.ts'
import { type Change, failPatch, lostPatch, SERVER } from './transitions.ts'

export interface WatchDeps {
  store: Pick<Store, 'tasks'>
  changes: Pick<TaskChanges, 'write'>
  /** Called after a run was ended. */
  onEnded(why: 'lost' | 'timeout'): void
  logger: { warn(details: object, message: string): void }
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A clock in ms that never goes back. */
  monotonic: () => number
}

const LOOK_EVERY_MS = 4000
/** Agents say every 10 s that they live, which takes up to a second to be written. */
const RENEWED_WITHIN_MS = 12_000
const LEASE_MS = LEASE_SECONDS * 1000

const RUNS = { status: 'PROCESSING' as const }

/** Looks every few seconds for runs whose agent has fallen silent, or that go on after their time. */
export function startWatch(deps: WatchDeps): { close(): Promise<void> } {
  const watch = new RunWatch(deps)
  const ended = new AbortController()
  const looking = (async () => {
    for await (const _ of setInterval(LOOK_EVERY_MS, undefined, { signal: ended.signal })) await watch.look()
  })().catch(() => {}) // It ends by being aborted.
  return {
    async close() {
      ended.abort()
      await looking
    },
  }
}

/** One look after another; each server has its own, and whoever comes first ends a run. */
export class RunWatch {
  readonly #deps: WatchDeps
  readonly #sightings = new Sightings()

  constructor(deps: WatchDeps) {
    this.#deps = deps
  }

  async look(): Promise<void> {
    const { monotonic, logger } = this.#deps
    try {
      this.#sightings.look(monotonic())
      await this.#endSilent()
      await this.#endOverdue()
    } catch (err) {
      this.#sightings.forget()
      logger.warn({ err }, 'the runs could not be looked at')
    }
  }

  async #endSilent(): Promise<void> {
    const { store, changes, clock, onEnded } = this.#deps
    const wall = clock()
    const renewedOfLate = { gt: iso(wall + LEASE_MS - RENEWED_WITHIN_MS), lte: iso(wall + LEASE_MS) }
    const [late, early] = await Promise.all([
      store.tasks.find({ where: { ...RUNS, leaseUntil: { lte: renewedOfLate.gt } } }),
      // By a clock that is ahead of this one, or was.
      store.tasks.find({ where: { ...RUNS, leaseUntil: { gt: renewedOfLate.lte } } }),
    ])
    for (const task of this.#sightings.silent([...late, ...early])) {
      const { agentId, leaseUntil } = task
      const who = agentId === null ? 'the agent' : `agent ${agentId}`
      const message = `${who} was not heard for ${LEASE_SECONDS} s and counts as lost`
      const lost = lostPatch(task, this.#change(message))
      if (await changes.write(task, lost, { ...RUNS, leaseUntil })) onEnded('lost')
    }
  }

  async #endOverdue(): Promise<void> {
    const { store, changes, clock, onEnded } = this.#deps
    const where = { ...RUNS, timeoutSeconds: { not: null } }
    for (const task of this.#sightings.overdue(await store.tasks.find({ where }), clock())) {
      const message = `the run went on after its timeout of ${task.timeoutSeconds} s`
      const failed = failPatch(task, this.#change(message), { errorCode: 'TIMEOUT' })
      if (await changes.write(task, failed, RUNS)) onEnded('timeout')
    }
  }

  #change(message: string): Change {
    return { by: SERVER, at: this.#deps.clock(), message }
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
