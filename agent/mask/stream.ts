import { MIN_SECRET_BYTES } from './forms.ts'
import { COMMAND, type Found, type Matcher } from './matcher.ts'
import { lengthWithoutSeams } from './seams.ts'

export const STARS = Buffer.from('***')

const EMPTY = Buffer.alloc(0)
const CR = Buffer.from('\r')
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
/** A command without an end is taken as it is. */
const MAX_COMMAND_BYTES = 64 * 1024

/** What a stream masks with; it may change while text comes. */
export interface MaskSource {
  readonly matcher: Matcher
  /** Called with what stands behind `::add-mask::`. */
  command(value: string): void
}

/**
 * Replaces secrets in a stream of bytes by stars, however it is cut into chunks: each stretch of secret bytes by three of them. What
 * cannot be the beginning of a secret is given on at once. Of what can be, the end of a stream shows all, silence what stands in
 * closed lines, and the rest where it is less than four bytes; so of a secret that is written with a pause after its first bytes at
 * most three are shown. A closed line waits for silence only where at least its last four bytes begin a secret.
 */
export class MaskStream {
  readonly #source: MaskSource
  readonly #out: (bytes: Buffer) => void
  /** The end of the text so far, from where a secret or a command may begin. */
  #held: Buffer = EMPTY
  /** How much of that has been given on. */
  #given = 0
  /** How many bytes of it are not known to be secret. */
  #clear = 0
  /** Whether `#held` begins with a command. */
  #commanded = false
  #scratch: Buffer = EMPTY
  /** Whether what was given on last are stars. */
  #starred = false

  /** @param out memory that it is given is good until it returns */
  constructor(source: MaskSource, out: (bytes: Buffer) => void) {
    this.#source = source
    this.#out = out
  }

  /** Whether silence would change something. */
  get waiting(): boolean {
    return this.#dueInSilence() > this.#given
  }

  /** @param chunk good until this returns */
  push(chunk: Buffer): void {
    this.#read(this.#held.length === 0 ? chunk : this.#joined(chunk))
  }

  /** Nothing has followed for a while. */
  quiet(): void {
    const due = this.#dueInSilence()
    if (due <= this.#given) return
    const pieces = new Pieces()
    this.#give(pieces, this.#held, this.#spansOf(this.#held), due)
    this.#out(pieces.joined)
  }

  /** Nothing follows. */
  end(): void {
    if (this.#commanded) this.#read(this.#held, true)
    const pieces = new Pieces()
    this.#give(pieces, this.#held, this.#spansOf(this.#held), this.#held.length)
    this.#held = EMPTY
    this.#given = this.#clear = 0
    if (pieces.any) this.#out(pieces.joined)
  }

  #spansOf(text: Buffer): number[] {
    return this.#source.matcher.search(text).spans
  }

  #read(all: Buffer, isWhole = false): void {
    const pieces = new Pieces()
    let text = all
    let found = this.#source.matcher.search(text)
    while (found.command >= 0) {
      // Up to three bytes of the command may have been shown.
      const shown = this.#give(pieces, text, found.spans, found.command) - found.command
      const from = found.command + COMMAND.length
      const newline = text.indexOf(LINE_FEED, from)
      const end = newline < 0 ? text.length : newline
      if (newline < 0 && !isWhole && end - from < MAX_COMMAND_BYTES) {
        this.#keep(text, found.command, shown, true)
        if (pieces.any) this.#out(pieces.joined)
        return
      }
      this.#source.command(Buffer.from(text.subarray(from, end)).toString())
      pieces.add(COMMAND.subarray(shown))
      pieces.add(STARS)
      if (text[end - 1] === CARRIAGE_RETURN) pieces.add(CR)
      this.#starred = false
      this.#given = 0
      text = text.subarray(end)
      found = this.#nextCommand(text) ?? this.#source.matcher.search(text)
    }
    const { spans, open, decided } = found
    const given = this.#give(pieces, text, spans, Math.max(open, decided))
    this.#keep(text, open, given - open, false)
    if (this.#held.length > 0) {
      const own = spans.map(at => at - open)
      const closed = this.#held.lastIndexOf(LINE_FEED) + 1
      this.#clear = clearBytes(this.#held, own, this.#held.length)
      if (closed > this.#given && clearBytes(this.#held, own, closed) < MIN_SECRET_BYTES)
        this.#give(pieces, this.#held, own, closed)
    }
    if (pieces.any) this.#out(pieces.joined)
  }

  #joined(chunk: Buffer): Buffer {
    const length = this.#held.length + chunk.length
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(2 * length)
    this.#scratch.set(this.#held)
    this.#scratch.set(chunk, this.#held.length)
    return this.#scratch.subarray(0, length)
  }

  /** A command in the next line, found without a search: each one makes the next search dear. */
  #nextCommand(text: Buffer): Found | undefined {
    const isOne = text[0] === LINE_FEED && COMMAND.equals(text.subarray(1, 1 + COMMAND.length))
    return isOne ? { spans: [], open: 1, decided: 0, command: 1 } : undefined
  }

  #keep(text: Buffer, from: number, given: number, commanded: boolean): void {
    this.#held = from === text.length ? EMPTY : Buffer.from(text.subarray(from))
    this.#given = Math.max(0, given)
    this.#commanded = commanded
  }

  /**
   * Gives on what is yet to be given of `text` up to `to`, and a secret that it ends within.
   * @returns up to where it has been given
   */
  #give(pieces: Pieces, text: Buffer, spans: number[], to: number): number {
    for (let index = 0; index < spans.length; index += 2) {
      const start = spans[index]!
      const end = spans[index + 1]!
      if (start >= to) break
      if (end <= this.#given) continue
      if (start > this.#given) {
        pieces.add(text.subarray(this.#given, start))
        this.#starred = false
      }
      if (!this.#starred) pieces.add(STARS)
      this.#starred = true
      this.#given = end
    }
    if (to > this.#given) {
      pieces.add(text.subarray(this.#given, to))
      this.#starred = false
      this.#given = to
    }
    return this.#given
  }

  /** How much of what is held silence would show. */
  #dueInSilence(): number {
    if (this.#commanded) return 0
    return this.#clear < MIN_SECRET_BYTES ? this.#held.length : this.#held.lastIndexOf(LINE_FEED) + 1
  }
}

/** How many bytes up to `to` are in none of the spans, seams left out. */
function clearBytes(text: Buffer, spans: number[], to: number): number {
  let count = lengthWithoutSeams(text, 0, to)
  for (let index = 0; index < spans.length; index += 2)
    count -= Math.max(0, Math.min(spans[index + 1]!, to) - Math.max(spans[index]!, 0))
  return count
}

/** Bytes that are to be given on in one piece; a single one is not copied. */
class Pieces {
  readonly #pieces: Buffer[] = []

  add(bytes: Buffer): void {
    if (bytes.length > 0) this.#pieces.push(bytes)
  }

  get any(): boolean {
    return this.#pieces.length > 0
  }

  get joined(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
  }
}
