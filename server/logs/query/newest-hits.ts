import type { LogEntry } from '#protocol/log.ts'
import { QueryError } from './query-error.ts'

/** A place in the order of a search: by time falling, then by task, then by seq falling. */
export type Place = [at: number, taskId: string, seq: number]

interface Hit {
  place: Place
  entry: LogEntry
}

/** The first `limit` hits after a place, of any number that come in any order. Pure. */
export class NewestHits {
  readonly #limit: number
  readonly #after: Place | undefined
  #hits: Hit[] = []
  /** The last place that can still count; known once there are enough. */
  #worst: Place | undefined

  constructor(limit: number, after: Place | undefined) {
    this.#limit = limit
    this.#after = after
  }

  /** @param entry made only where it counts */
  add(place: Place, entry: () => LogEntry): void {
    if (this.#after && comparePlaces(place, this.#after) <= 0) return
    if (this.#worst && comparePlaces(place, this.#worst) > 0) return
    this.#hits.push({ place, entry: entry() })
    if (this.#hits.length >= this.#limit * 2) this.#sort()
  }

  /** Whether lines at or before a time cannot change the answer any more. */
  completeAt(at: number): boolean {
    if (this.#hits.length < this.#limit) return false
    this.#sort()
    return this.#hits[this.#limit - 1]!.place[0] > at
  }

  /** The hits in order, and the last one's place where there are as many as asked for. */
  best(laterThan = Number.NEGATIVE_INFINITY): { entries: LogEntry[]; last: Place | undefined } {
    this.#sort()
    const hits = this.#hits.filter(hit => hit.place[0] > laterThan)
    return {
      entries: hits.map(hit => hit.entry),
      last: hits.length === this.#limit ? hits.at(-1)?.place : undefined,
    }
  }

  #sort(): void {
    this.#hits.sort((a, b) => comparePlaces(a.place, b.place))
    this.#hits.length = Math.min(this.#hits.length, this.#limit)
    if (this.#hits.length === this.#limit) this.#worst = this.#hits.at(-1)?.place
  }
}

/** Below 0 where `a` comes first. */
function comparePlaces(a: Place, b: Place): number {
  if (a[0] !== b[0]) return b[0] - a[0]
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1
  return b[2] - a[2]
}

export function formatCursor(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws QueryError BAD_REQUEST where it is none of ours */
export function parseCursor(cursor: string): Place {
  try {
    const [at, taskId, seq] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof at === 'number' && typeof taskId === 'string' && typeof seq === 'number')
      return [at, taskId, seq]
  } catch {}
  throw new QueryError('BAD_REQUEST', 'cursor: take it as it stands from the answer before')
}
