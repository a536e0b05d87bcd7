import type { Task } from '#protocol/task.ts'
import { LEASE_SECONDS } from '#protocol/task-calls.ts'

/** A little less than a lease, so that looks which come a little early do not wait for the next. */
const SILENT_MS = (LEASE_SECONDS - 4) * 1000
/** The agent's own timeout comes first, and has this long to be told. */
const OVERDUE_MS = 30_000
/** Looks that lie further apart have missed something: this server stood still. */
const BREAK_MS = 15_000

interface Lease {
  until: string
  seenAt: number
}
interface Run {
  startedAt: string
  seenAt: number
  ranMs: number
}

/**
 * What one server has seen of the runs, look by look, by a clock that never jumps. Leases are not compared with the time of day: the
 * server that wrote them may have another, and after a start or an outage of the store no agent has had its chance to renew one. A run is
 * silent when its lease has stood still for as long as a lease lasts, and the store answered all that time. Pure.
 */
export class Sightings {
  #lookedAt: number | undefined
  #leases = new Map<string, Lease>()
  #runs = new Map<string, Run>()

  /** Begins a look; ms of a clock that never goes back. */
  look(now: number): void {
    if (this.#lookedAt !== undefined && now - this.#lookedAt > BREAK_MS) this.forget()
    this.#lookedAt = now
  }

  /** The store did not answer: whatever agents said meanwhile is not in it. */
  forget(): void {
    this.#leases.clear()
    this.#runs.clear()
  }

  /** @returns those of the runs, which are all whose lease was not renewed of late, that are silent */
  silent(tasks: Task[]): Task[] {
    const now = this.#lookedAt!
    const leases = new Map<string, Lease>()
    for (const { id, leaseUntil } of tasks) {
      const before = this.#leases.get(id)
      const same = before?.until === leaseUntil
      leases.set(id, same ? before : { until: leaseUntil!, seenAt: now })
    }
    this.#leases = leases
    return tasks.filter(({ id }) => now - leases.get(id)!.seenAt >= SILENT_MS)
  }

  /**
   * @param wallClock time of day, ms: how long a run went on before it was first seen
   * @returns those of the runs, which are all that have a timeout, that should have ended long ago
   */
  overdue(tasks: Task[], wallClock: number): Task[] {
    const now = this.#lookedAt!
    const runs = new Map<string, Run>()
    for (const { id, startedAt } of tasks) {
      const before = this.#runs.get(id)
      const same = before?.startedAt === startedAt
      const ranMs = Math.max(0, wallClock - Date.parse(startedAt!))
      runs.set(id, same ? before : { startedAt: startedAt!, seenAt: now, ranMs })
    }
    this.#runs = runs
    return tasks.filter(({ id, timeoutSeconds }) => {
      const { seenAt, ranMs } = runs.get(id)!
      const seenMs = now - seenAt
      return seenMs >= OVERDUE_MS && ranMs + seenMs >= timeoutSeconds! * 1000 + OVERDUE_MS
    })
  }
}
