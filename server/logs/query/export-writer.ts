import type { Segment } from '#protocol/segment.ts'
import { FLAG_CONTINUED, FLAG_OVERWRITES, SOURCE_MASK, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import type { ByteWriter } from './byte-writer.ts'

/** One format of exported files. */
export interface ExportWriter {
  head: string
  tail(last: LastLine): string
  /** Writes line `line` of a segment after the `last` one of this file. */
  line(out: ByteWriter, segment: Segment, line: number, firstSeq: number, last: LastLine): void
}

/** What tells whether a line goes on with another. */
export interface LineId {
  seq: number
  /** Its number in `SOURCES`. */
  source: number
  /** 0 where the line has none. */
  lineNumber: number
}

/** The line that was written last into a file, or none. */
export class LastLine {
  #carried: LineId | undefined
  #segment: Segment | undefined
  #line = 0
  #firstSeq = 0

  constructor(carried: LineId | undefined) {
    this.#carried = carried
  }

  get none(): boolean {
    return this.#segment === undefined && this.#carried === undefined
  }

  set(segment: Segment, line: number, firstSeq: number): void {
    this.#segment = segment
    this.#line = line
    this.#firstSeq = firstSeq
  }

  id(): LineId | undefined {
    return this.#segment ? lineId(this.#segment, this.#line, this.#firstSeq) : this.#carried
  }
}

export function lineId(segment: Segment, line: number, firstSeq: number): LineId {
  const source = (segment.tag(line) & SOURCE_MASK) >> SOURCE_SHIFT
  return { seq: firstSeq + line, source, lineNumber: segment.lineNumber(line) }
}

/** Whether a line has nothing but the columns that nearly every line has. */
export function isPlain(segment: Segment, line: number): boolean {
  if (segment.tag(line) & (FLAG_CONTINUED | FLAG_OVERWRITES)) return false
  const extra = segment.extra(line)
  return !extra || (!extra.metadata && extra.step === undefined && extra.durationMs === undefined)
}
