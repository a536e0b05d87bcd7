/** Numbers that depend on the seed alone (mulberry32), so that a failure can be run again. */
export class Random {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed
    this.#state = seed | 0
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** So many different whole numbers from `least` to `most`, rising. */
  moments(count: number, least: number, most: number): number[] {
    const chosen = new Set<number>()
    while (chosen.size < count) chosen.add(this.int(least, most))
    return [...chosen].sort((a, b) => a - b)
  }
}
