import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { headId, type LogCollections } from './documents.ts'
import { isDuplicate, unavailable } from './errors.ts'

/** Longer than clocks differ and any step takes; who dies with the lock holds others up for this long. */
const LEASE_MS = 60_000
const PATIENCE_MS = 10_000
const LOOK_AGAIN_MS = 50

/** What the holder of a task's lock may do with it. */
export interface Held {
  /** Whoever had the lock before died with it, in the middle of a replacement. */
  leftBusy: boolean
  /** Says that segments may overlap from now on, until the lock is given back, and holds it for longer. */
  busy(): Promise<void>
  renew(): Promise<void>
}

/** One at a time changes what is stored of a task's log already; appending needs no lock. Held in the task's head. */
export class TaskLock {
  readonly #logs: LogCollections
  readonly #owner = randomUUID()
  readonly #here = new Map<string, Promise<unknown>>()

  constructor(logs: LogCollections) {
    this.#logs = logs
  }

  /** @throws KerutaError STORE_UNAVAILABLE where another server holds it for too long */
  async run<T>(taskId: string, work: (held: Held) => Promise<T>): Promise<T> {
    // Those of this server wait in order.
    const before = this.#here.get(taskId)
    const turn = (async () => {
      await before?.catch(() => undefined)
      return this.#runAlone(taskId, work)
    })()
    this.#here.set(taskId, turn)
    try {
      return await turn
    } finally {
      if (this.#here.get(taskId) === turn) this.#here.delete(taskId)
    }
  }

  /** Gives the lock back only where all went well: else the next one must know. */
  async #runAlone<T>(taskId: string, work: (held: Held) => Promise<T>): Promise<T> {
    const { heads } = this.#logs
    const leftBusy = await this.#take(taskId)
    const mine = { _id: headId(taskId), lockOwner: this.#owner }
    const result = await work({
      leftBusy,
      busy: async () => void (await heads.updateOne(mine, { $set: { busy: 1, lockUntil: leaseEnd() } })),
      renew: async () => void (await heads.updateOne(mine, { $set: { lockUntil: leaseEnd() } })),
    })
    await heads.updateOne(mine, { $unset: { lockOwner: 1, lockUntil: 1, busy: 1 } })
    return result
  }

  async #take(taskId: string): Promise<boolean> {
    const startedAt = Date.now()
    for (;;) {
      const taken = await this.#tryTake(taskId)
      if (taken) return taken.busy
      if (Date.now() - startedAt > PATIENCE_MS)
        throw unavailable(`another server is changing the log of ${taskId}: try again later`)
      await pause(LOOK_AGAIN_MS)
    }
  }

  async #tryTake(taskId: string): Promise<{ busy: boolean } | undefined> {
    try {
      const before = await this.#logs.heads.findOneAndUpdate(
        {
          _id: headId(taskId),
          taskId,
          $or: [
            { lockOwner: { $exists: false } },
            { lockOwner: this.#owner },
            { lockUntil: { $lt: new Date() } },
          ],
        },
        {
          $set: { lockOwner: this.#owner, lockUntil: leaseEnd() },
          $setOnInsert: { firstSeq: 0, count: 0, lastSeq: 0 },
        },
        { upsert: true, returnDocument: 'before' },
      )
      return { busy: before?.busy === 1 }
    } catch (error) {
      // The head is there, and somebody else's: nothing fitted, and it could not be made.
      if (isDuplicate(error)) return undefined
      throw error
    }
  }
}

function leaseEnd(): Date {
  return new Date(Date.now() + LEASE_MS)
}
