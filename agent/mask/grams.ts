const GRAM = 4
const HASH = 0x9e3779b1

/**
 * Tells quickly that a text has none of many patterns in it. Whatever holds `piece` bytes of a pattern in a row holds four of them at a
 * position that is looked at, as only so many are passed over.
 */
export class Grams {
  /** Of the last hit: how far from a pattern's beginning its four bytes may stand. */
  offset = 0
  /** How far apart the positions are that are looked at. */
  readonly stride: number
  readonly #flags: Uint8Array
  readonly #shift: number
  readonly #keys: Int32Array
  /** Plus one; 0: the slot is free. */
  readonly #offsets: Int32Array
  readonly #mask: number

  /** @param piece at least 4, at most the length of the shortest pattern */
  constructor(patterns: readonly Uint8Array[], piece: number) {
    this.stride = piece - GRAM + 1
    const count = patterns.reduce((sum, { length }) => sum + length - GRAM + 1, 0)
    const bits = Math.min(22, Math.max(14, Math.ceil(Math.log2(count * 16))))
    this.#flags = new Uint8Array(2 ** bits)
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
    const flags = this.#flags
    const shift = this.#shift
    const last = text.length - GRAM
    for (let at = from; at <= last; at += this.stride) {
      const gram = view.getInt32(at, true)
      if (flags[Math.imul(gram, HASH) >>> shift] !== 0 && this.#has(gram)) return at
    }
    return -1
  }

  #has(gram: number): boolean {
    const slot = this.#slotOf(gram)
    this.offset = this.#offsets[slot]! - 1
    return this.offset >= 0
  }

  #add(gram: number, offset: number): void {
    this.#flags[Math.imul(gram, HASH) >>> this.#shift] = 1
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
