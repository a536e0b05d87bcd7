import { FLAG_CONTINUED, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import type { LineSink } from './lines.ts'
import { Marks } from './marks.ts'

/** Where lines go once their source and level are known. Memory that is handed over is good until the call returns. */
export interface TaggedSink {
  /** Lines `from` … `to - 1` of a block of whole lines of one source; `lineNumber` is that of line `from`. */
  block(
    text: Uint8Array,
    ends: Uint32Array,
    tags: Uint8Array,
    from: number,
    to: number,
    lineNumber: number,
    step?: string,
  ): void
  line(message: Uint8Array, tag: number, lineNumber: number, step?: string): void
}

/** Says what level (position in LEVELS) each line of one source has, in their order. */
export interface LineLevels {
  levelOf(bytes: Uint8Array, start: number, end: number): number
}

/** The stage between lines and delivery that gives each its level, and holds back those below the threshold. */
export class Tagger implements LineSink {
  /** Lines that were below the threshold. */
  skipped = 0
  readonly #out: TaggedSink
  readonly #source: number
  readonly #levels: LineLevels
  readonly #minLevel: number
  readonly #marks: Marks | undefined
  #tags = new Uint8Array(1024)
  #openLevel = 0

  /**
   * @param source position in SOURCES
   * @param minLevel position in LEVELS
   */
  constructor(out: TaggedSink, source: number, levels: LineLevels, minLevel: number, marks?: Marks) {
    this.#out = out
    this.#source = source << SOURCE_SHIFT
    this.#levels = levels
    this.#minLevel = minLevel
    this.#marks = marks
  }

  block(text: Uint8Array, ends: Uint32Array, count: number, lineNumber: number): void {
    if (this.#tags.length < ends.length) this.#tags = new Uint8Array(ends.length)
    const tags = this.#tags
    const marks = this.#marks
    let step = marks?.step
    let from = 0
    let start = 0
    const give = (to: number) => {
      if (to > from) this.#out.block(text, ends, tags, from, to, lineNumber + from, step)
      from = to
    }
    for (let index = 0; index < count; index++) {
      const end = ends[index]!
      const level = this.#levels.levelOf(text, start, end - 1)
      tags[index] = this.#source | level
      const isMark = marks !== undefined && Marks.isOne(text, start, end - 1)
      if (isMark) {
        give(index)
        step = marks.read(text, start, end - 1)
      }
      start = end
      if (level < this.#minLevel) {
        give(index)
        from = index + 1
        this.skipped++
      } else if (isMark) give(index + 1)
      if (isMark) step = marks.step
    }
    give(count)
  }

  line(message: Uint8Array, flags: number, lineNumber: number): void {
    let step = this.#marks?.step
    if ((flags & FLAG_CONTINUED) === 0) {
      this.#openLevel = this.#levels.levelOf(message, 0, message.length)
      if (this.#marks && Marks.isOne(message, 0, message.length))
        step = this.#marks.read(message, 0, message.length)
    }
    if (this.#openLevel < this.#minLevel) {
      if (flags === 0) this.skipped++
      return
    }
    this.#out.line(message, this.#source | this.#openLevel | flags, lineNumber, step)
  }
}
