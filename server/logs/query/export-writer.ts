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

/** Whether a line has nothing but the columns that nearly every line has. */
export function isPlain(segment: Segment, line: number): boolean {
  if (segment.tag(line) & (FLAG_CONTINUED | FLAG_OVERWRITES)) return false
  const extra = segment.extra(line)
  return !extra || (!extra.metadata && extra.step === undefined && extra.durationMs === undefined)
}
