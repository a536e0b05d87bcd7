import { Automaton } from './automaton.ts'
import { MIN_SECRET_BYTES } from './forms.ts'
import { Grams } from './grams.ts'
import { isWithinSeam, seamEnd, stepBack, tailStart, UNFINISHED } from './seams.ts'

/** A secret that line ends or escape sequences interrupt has so many bytes in a row somewhere; less would be found by chance. */
const PIECE_BYTES = 8

/** The line that makes the rest of itself a secret. */
export const COMMAND = Buffer.from('::add-mask::')

/** What a search has found. */
export interface Found {
  /** Stretches of bytes that are secret, rising, none touching the next: start, end, start, end … */
  spans: number[]
  /** What begins here may be the beginning of a secret, or of a command, whose rest is yet to come. */
  open: number
  /** Up to here all is decided nevertheless: it belongs to a secret that began before `open`. */
  decided: number
  /** Where the first `COMMAND` begins; nothing behind it has been looked at. -1: there is none. */
  command: number
}

/** Finds secrets in bytes: every occurrence of every pattern. Text that has none is passed over at several GB/s. */
export class Matcher {
  readonly #automaton: Automaton
  readonly #grams: Grams
  readonly #piece: number
  readonly #commandState: number
  /** Where the last bytes stand, seams left out. */
  readonly #positions: Int32Array
  readonly #mask: number
  #found: Found = nothing()
  /** Secrets that have seams in them. */
  #interrupted: { start: number; end: number }[] = []

  /** @param patterns each of at least four bytes, without seams */
  constructor(patterns: readonly Uint8Array[]) {
    const all = [COMMAND, ...patterns]
    this.#automaton = new Automaton(all)
    const most = patterns.length === 0 ? COMMAND.length : PIECE_BYTES
    this.#piece = all.reduce((least, { length }) => Math.min(least, length), most)
    this.#grams = new Grams(all, this.#piece)
    this.#commandState = COMMAND.reduce((state, byte) => this.#automaton.step(state, byte), 0)
    const ring = 2 ** Math.ceil(Math.log2(this.#automaton.longest + 1))
    this.#positions = new Int32Array(ring)
    this.#mask = ring - 1
  }

  /** What is found is good until the next search. */
  search(text: Uint8Array): Found {
    this.#found = nothing()
    this.#interrupted = []
    const { longest } = this.#automaton
    let at = 0
    while (at < text.length) {
      const hit = this.#hit(text, at)
      const from =
        hit < 0 ? tailStart(text, this.#piece, longest, at) : stepBack(text, hit, this.#grams.offset, at)
      at = this.#walk(text, from, hit < 0 ? text.length : hit + MIN_SECRET_BYTES)
      if (this.#found.command >= 0) break
    }
    for (const { start, end } of this.#interrupted) {
      if (start < this.#found.open) this.#found.decided = Math.max(this.#found.decided, end)
    }
    return this.#found
  }

  #hit(text: Uint8Array, from: number): number {
    let hit = this.#grams.next(text, from)
    // What stands within an escape sequence is no part of a secret.
    while (hit >= 0 && isWithinSeam(text, hit, from)) hit = this.#grams.next(text, hit + this.#grams.stride)
    return hit
  }

  /** Byte by byte, until nothing is open any more at `until` or behind it. @returns where it stopped */
  #walk(text: Uint8Array, from: number, until: number): number {
    const automaton = this.#automaton
    const { ends, open } = automaton
    let state = 0
    let count = 0
    let at = from
    while (at < text.length && (state !== 0 || at < until)) {
      const byte = text[at]!
      if (byte === 10 || byte === 13 || byte === 27) {
        const seam = seamEnd(text, at)
        if (seam === UNFINISHED) {
          this.#leaveOpen(state, count, at)
          return text.length
        }
        if (seam > at) {
          at = seam
          continue
        }
      }
      this.#positions[count++ & this.#mask] = at++
      state = automaton.step(state, byte)
      if (ends[state] !== 0 && this.#takeEnds(state, count)) {
        this.#found.open = this.#found.command
        return at
      }
      state = open[state]!
    }
    this.#leaveOpen(state, count, at)
    return at
  }

  #leaveOpen(state: number, count: number, at: number): void {
    const depth = this.#automaton.depth[state]!
    this.#found.open = depth === 0 ? at : this.#positions[(count - depth) & this.#mask]!
  }

  /** @returns whether it is a command that ends here */
  #takeEnds(state: number, count: number): boolean {
    const { ends, depth, fails } = this.#automaton
    for (let end = ends[state]!; end !== 0; end = ends[fails[end]!]!) {
      const first = this.#positions[(count - depth[end]!) & this.#mask]!
      const last = this.#positions[(count - 1) & this.#mask]!
      const whole = last - first + 1 === depth[end]
      if (end === this.#commandState) {
        if (!whole) continue
        this.#found.command = first
        return true
      }
      if (whole) this.#add(first, last + 1)
      else if (!this.#addPieces(count, depth[end]!)) continue
      return false
    }
    return false
  }

  /** @returns false, and nothing is added, where no piece is long enough */
  #addPieces(count: number, length: number): boolean {
    const pieces: number[] = []
    let longest = 0
    for (let index = count - length; index < count; index++) {
      const at = this.#positions[index & this.#mask]!
      if (pieces.at(-1) === at) pieces[pieces.length - 1] = at + 1
      else pieces.push(at, at + 1)
      longest = Math.max(longest, pieces.at(-1)! - pieces.at(-2)!)
    }
    if (longest < PIECE_BYTES) return false
    this.#interrupted.push({ start: pieces[0]!, end: pieces.at(-1)! })
    const { spans } = this.#found
    while (spans.length > 0 && spans.at(-2)! >= pieces[0]!) spans.length -= 2
    for (let index = 0; index < pieces.length; index += 2) this.#add(pieces[index]!, pieces[index + 1]!)
    return true
  }

  #add(start: number, end: number): void {
    const { spans } = this.#found
    let from = start
    while (spans.length > 0 && spans.at(-1)! >= from) {
      from = Math.min(from, spans.at(-2)!)
      spans.length -= 2
    }
    spans.push(from, end)
  }
}

function nothing(): Found {
  return { spans: [], open: 0, decided: 0, command: -1 }
}
