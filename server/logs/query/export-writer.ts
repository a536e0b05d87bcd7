import type { Segment } from '#protocol/segment.ts'
import { FLAG_CONTINUED, FLAG_OVERWRITES } from '#protocol/segment-layout.ts'
import type { ByteWriter } from './byte-writer.ts'

/** One format of exported files. */
export interface ExportWriter {
  head: string
  tail: string
  /** Writes line `line` of a segment; `first` where no line was written before it in this file. */
  line(out: ByteWriter, segment: Segment, line: number, firstSeq: number, first: boolean): void
}

/** Whether a line has nothing but the columns that every line has. */
export function isPlain(segment: Segment, line: number): boolean {
  return (segment.tag(line) & (FLAG_CONTINUED | FLAG_OVERWRITES)) === 0 && segment.extra(line) === undefined
}
