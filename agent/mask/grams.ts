const GRAM = 4
const HASH = 0x9e3779b1

/**
 * Tells quickly that a text has none of many patterns in it. Whatever holds `piece` bytes of a pattern in a row holds four of them at a
 * position that is looked at, as only so many are passed over; and all the fours that the piece is made of.
 */
export class Grams {
  /** Of the last hit: how far from a pattern's beginning its four bytes may stand. */
  offset = 0
  /** How far apart the positions are that are looked at. */
  readonly stride: number
  /** A bit for each hash. */
  readonly #flags: Int32Array
  readonly #shift: number
  readonly #keys: Int32Array
  /** Plus one; 0: the slot is free. */
  readonly #offsets: Int32Array
  readonly #mask: number

  /** @param piece at least 4, at most the length of the shortest pattern */
  constructor(patterns: readonly Uint8Array[], piece: number) {
    this.stride = piece - GRAM + 1
    const count = patterns.reduce((sum, { length }) => sum + length - GRAM + 1, 0)
    const bits = Math.min(25, Math.max(14, Math.ceil(Math.log2(count * 16))))
    this.#flags = new Int32Array(2 ** (bits - 5))
    this.#shift = 32 - bits
    const slots = 2 ** Math.ceil(Math.log2(count * 2 + 2))
    this.#mask = slots - 1
    this.#keys = new Int32Array(slots)
    this.#offsets = new Int32Array(slots)
    for (const pattern of patterns) {
      const view = new DataView(pattern.buffer, pattern.byteOffset, pattern.length)
      for (let at = 0; at + GRAM <= pattern.length; at++) this.#add(view.getInt32(at, true), at)
    }
  }

  /** Where four bytes of a pattern stand, at `from` or after it; -1: no pattern is there, but for its end or beginning. */
  next(text: Uint8Array, from: number): number {
    const view = new DataView(text.buffer, text.byteOffset, text.length)
    let at = flagged(view, from, this.stride, this.#flags, this.#shift)
    while (at >= 0) {
      const offset = this.#offsetOf(view.getInt32(at, true))
      if (offset >= 0 && this.#isPiece(view, at)) {
        this.offset = offset
        return at
      }
      at = flagged(view, at + this.stride, this.stride, this.#flags, this.#shift)
    }
    return -1
  }

  /** Whether enough fours in a row are some of a pattern's, with those at `at`, which are. */
  #isPiece(view: DataView, at: number): boolean {
    const most = this.stride - 1
    const least = Math.max(0, at - most)
    let first = at
    while (first > least && this.#offsetOf(view.getInt32(first - 1, true)) >= 0) first--
    const last = Math.min(view.byteLength - GRAM, first + most)
    let end = at
    while (end < last && this.#offsetOf(view.getInt32(end + 1, true)) >= 0) end++
    return end - first === most
  }

  /** -1: it is none. */
  #offsetOf(gram: number): number {
    return this.#offsets[this.#slotOf(gram)]! - 1
  }

  #add(gram: number, offset: number): void {
    const hash = Math.imul(gram, HASH) >>> this.#shift
    this.#flags[hash >>> 5]! |= 1 << (hash & 31)
    const slot = this.#slotOf(gram)
    this.#keys[slot] = gram
    this.#offsets[slot] = Math.max(this.#offsets[slot]!, offset + 1)
  }

  #slotOf(gram: number): number {
    let slot = (Math.imul(gram, HASH) >>> 5) & this.#mask
    while (this.#offsets[slot] !== 0 && this.#keys[slot] !== gram) slot = (slot + 1) & this.#mask
    return slot
  }
}

/**
 * The next position whose four bytes have a flag; -1: there is none. A function of its own, which takes all it needs: within the
 * class the same loop takes more than twice the time.
 */
function flagged(view: DataView, from: number, stride: number, flags: Int32Array, shift: number): number {
  const last = view.byteLength - GRAM
  for (let at = from; at <= last; at += stride) {
    const hash = Math.imul(view.getInt32(at, true), HASH) >>> shift
    // A shift takes the lowest five bits of its right side only.
    if (((flags[hash >>> 5]! >>> hash) & 1) !== 0) return at
  }
  return -1
}
