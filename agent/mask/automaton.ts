/** An Aho–Corasick automaton over bytes, sparse: thousands of patterns take a few MB. State 0 is the beginning. */
export class Automaton {
  readonly longest: number
  /** Bytes of a pattern that have been seen, by state. */
  readonly depth: Int32Array
  /** By state, the state of the longest pattern that ends here; 0: none. */
  readonly ends: Int32Array
  /** By state, the state of what may go on: itself, or its longest ending that is not the end of every pattern it is in. */
  readonly open: Int32Array
  /** By state, the state of its longest proper ending that begins a pattern. */
  readonly fails: Int32Array
  readonly #first = new Int32Array(256)
  readonly #keys: Int32Array
  readonly #values: Int32Array
  readonly #mask: number

  constructor(patterns: readonly Uint8Array[]) {
    const bytes = patterns.reduce((sum, pattern) => sum + pattern.length, 1)
    const slots = 2 ** Math.ceil(Math.log2(bytes * 2 + 2))
    this.#mask = slots - 1
    this.#keys = new Int32Array(slots).fill(-1)
    this.#values = new Int32Array(slots)
    const depth = new Int32Array(bytes)
    const ends = new Int32Array(bytes)
    const parents = new Int32Array(bytes)
    const lastBytes = new Uint8Array(bytes)
    let count = 1
    for (const pattern of patterns) {
      let state = 0
      for (const byte of pattern) {
        let next = this.#edge(state, byte)
        if (next === 0) {
          next = count++
          this.#connect(state, byte, next)
          parents[next] = state
          lastBytes[next] = byte
          depth[next] = depth[state]! + 1
        }
        state = next
      }
      ends[state] = state
    }
    this.depth = depth.subarray(0, count)
    this.ends = ends.subarray(0, count)
    this.fails = new Int32Array(count)
    this.open = new Int32Array(count)
    const goesOn = new Uint8Array(count)
    for (let state = 1; state < count; state++) goesOn[parents[state]!] = 1
    this.longest = this.depth.reduce((most, each) => Math.max(most, each), 0)
    const byDepth = Int32Array.from({ length: count }, (_, state) => state).sort(
      (a, b) => depth[a]! - depth[b]!,
    )
    for (const state of byDepth) {
      const parent = parents[state]!
      if (parent !== 0) this.fails[state] = this.step(this.fails[parent]!, lastBytes[state]!)
      if (ends[state] === 0) ends[state] = ends[this.fails[state]!]!
      this.open[state] = goesOn[state] === 1 ? state : this.open[this.fails[state]!]!
    }
  }

  /** The state after one more byte. */
  step(state: number, byte: number): number {
    let from = state
    while (from !== 0) {
      const next = this.#edge(from, byte)
      if (next !== 0) return next
      from = this.fails[from]!
    }
    return this.#first[byte]!
  }

  #edge(state: number, byte: number): number {
    if (state === 0) return this.#first[byte]!
    const key = state * 256 + byte
    let slot = Math.imul(key, 0x9e3779b1) >>> 7
    for (;;) {
      slot &= this.#mask
      const found = this.#keys[slot]!
      if (found === key) return this.#values[slot]!
      if (found === -1) return 0
      slot++
    }
  }

  #connect(state: number, byte: number, next: number): void {
    if (state === 0) {
      this.#first[byte] = next
      return
    }
    const key = state * 256 + byte
    let slot = (Math.imul(key, 0x9e3779b1) >>> 7) & this.#mask
    while (this.#keys[slot] !== -1) slot = (slot + 1) & this.#mask
    this.#keys[slot] = key
    this.#values[slot] = next
  }
}
