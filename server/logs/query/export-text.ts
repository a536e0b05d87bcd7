import type { Segment } from '#protocol/segment.ts'
import { FLAG_CONTINUED, FLAG_OVERWRITES } from '#protocol/segment-layout.ts'
import { type ExportWriter, type LastLine, lineId } from './export-writer.ts'

/**
 * The messages alone, without times, so that the file is what the program printed: each on a line of its own, but what goes on with
 * the line before it (a long line, one printed bit by bit) follows that at once, and what replaces it (a progress bar) after a carriage return.
 */
export function textWriter(): ExportWriter {
  return {
    head: '',
    tail: last => (last.none ? '' : '\n'),
    line(out, segment, line, firstSeq, last) {
      out.ascii(between(segment, line, firstSeq, last))
      const start = segment.start(line)
      const length = segment.end(line) - 1 - start
      out.direct(length, (bytes, to) => {
        for (let done = 0; done < length; done++) bytes[to + done] = segment.text[start + done]!
        return length
      })
    },
  }
}

function between(segment: Segment, line: number, firstSeq: number, last: LastLine): string {
  if (last.none) return ''
  const flags = segment.tag(line) & (FLAG_CONTINUED | FLAG_OVERWRITES)
  if (!flags || !goesOn(segment, line, firstSeq, last)) return '\n'
  return flags & FLAG_OVERWRITES ? '\r' : ''
}

/** Whether a flagged line goes on with the last one that was written, and not with one that the filter left out or another source interrupted. */
function goesOn(segment: Segment, line: number, firstSeq: number, last: LastLine): boolean {
  const before = last.id()
  const { seq, source, lineNumber } = lineId(segment, line, firstSeq)
  if (before?.source !== source) return false
  return lineNumber > 0 ? before.lineNumber === lineNumber : before.seq === seq - 1
}
