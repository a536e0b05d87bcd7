import { QueryError } from './query-error.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(n => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(n => n * MINUTE),
  ...[1, 2, 3, 6, 12].map(n => n * HOUR),
  ...[1, 2, 7, 30, 90, 365].map(n => n * DAY),
]
const MOST_AUTO = 120
const MOST_BUCKETS = 10_000

/** The smallest round step that cuts a span into at most 120 buckets, ms. */
export function autoInterval(first: number, last: number): number {
  const fits = (step: number) => Math.floor(last / step) - Math.floor(first / step) < MOST_AUTO
  return STEPS.find(fits) ?? 365 * DAY * Math.ceil((last - first) / (365 * DAY) / (MOST_AUTO - 1))
}

/** Lines by time and tag number, in buckets that begin at multiples of the interval. Pure. */
export class Histogram {
  readonly intervalMs: number
  readonly #buckets = new Map<number, number[]>()
  #at = Number.NaN
  #counts: number[] = []

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs
  }

  /** Whether all times of a span fall into one bucket. */
  holds(minAt: number, maxAt: number): boolean {
    return this.#start(minAt) === this.#start(maxAt)
  }

  add(at: number, tag: number, count: number): void {
    if (!(at >= this.#at && at < this.#at + this.intervalMs)) this.#open(this.#start(at))
    this.#counts[tag]! += count
  }

  /** In rising time: the bucket's beginning, and numbers by tag. */
  buckets(): [at: number, counts: number[]][] {
    return [...this.#buckets].sort(([a], [b]) => a - b)
  }

  #start(at: number): number {
    return Math.floor(at / this.intervalMs) * this.intervalMs
  }

  #open(at: number): void {
    this.#at = at
    const counts = this.#buckets.get(at) ?? new Array<number>(15).fill(0)
    this.#buckets.set(at, counts)
    this.#counts = counts
    if (this.#buckets.size > MOST_BUCKETS)
      throw new QueryError(
        'BAD_REQUEST',
        `an interval of ${this.intervalMs} ms gives more than ${MOST_BUCKETS} buckets; take a longer one, or auto`,
      )
  }
}
