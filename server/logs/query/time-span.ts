/** Where in the log a segment lies in which some line matches at an unknown time. */
export interface Candidate {
  firstSeq: number
  count: number
  minAt: number
  maxAt: number
}

const FEW = 64

/**
 * The times of the first and last matching line, from as few opened segments as possible: a segment of which some line matches at an
 * unknown time bounds the answer, and only those that may still move it are kept. Pure.
 */
export class TimeSpan {
  /** Earliest and latest time known of a matching line, ms. */
  first = Number.POSITIVE_INFINITY
  last = Number.NEGATIVE_INFINITY
  #candidates: Candidate[] = []
  #pruneAt = FEW
  /** Some matching line is at or before, and some at or after these. */
  #firstAtMost = Number.POSITIVE_INFINITY
  #lastAtLeast = Number.NEGATIVE_INFINITY

  /** Matching lines are at these times and, if any more, between them. */
  known(first: number, last: number): void {
    this.first = Math.min(this.first, first)
    this.last = Math.max(this.last, last)
    this.#firstAtMost = Math.min(this.#firstAtMost, first)
    this.#lastAtLeast = Math.max(this.#lastAtLeast, last)
  }

  /** Some line of it matches. */
  somewhereIn({ firstSeq, count, minAt, maxAt }: Candidate): void {
    this.#firstAtMost = Math.min(this.#firstAtMost, maxAt)
    this.#lastAtLeast = Math.max(this.#lastAtLeast, minAt)
    this.#candidates.push({ firstSeq, count, minAt, maxAt })
    if (this.#candidates.length < this.#pruneAt) return
    this.#candidates = this.#candidates.filter(candidate => this.#matters(candidate))
    this.#pruneAt = Math.max(FEW, this.#candidates.length * 2)
  }

  /** The next segment that must be opened; call `known` with what it holds before the next call. */
  next(): Candidate | undefined {
    for (;;) {
      const candidate = this.#candidates.pop()
      if (!candidate || this.#matters(candidate)) return candidate
    }
  }

  #matters({ minAt, maxAt }: Candidate): boolean {
    const early = minAt < this.first && minAt <= this.#firstAtMost
    const late = maxAt > this.last && maxAt >= this.#lastAtLeast
    return early || late
  }
}
