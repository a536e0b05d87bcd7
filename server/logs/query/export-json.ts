import { LEVELS, SOURCES } from '#protocol/levels.ts'
import type { Segment } from '#protocol/segment.ts'
import { LEVEL_MASK, SOURCE_MASK, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import type { ByteWriter } from './byte-writer.ts'
import { type ExportWriter, isPlain } from './export-writer.ts'
import { isoTimes } from './iso-time.ts'

/** One entry a line. */
export function ndjsonWriter(taskId: string): ExportWriter {
  const writeEntry = entryWriter(taskId)
  return {
    head: '',
    tail: '',
    line(out, segment, line, firstSeq) {
      writeEntry(out, segment, line, firstSeq)
      out.ascii('\n')
    },
  }
}

/** An array of entries, each on a line of its own. */
export function jsonWriter(taskId: string): ExportWriter {
  const writeEntry = entryWriter(taskId)
  return {
    head: '[',
    tail: '\n]\n',
    line(out, segment, line, firstSeq, first) {
      out.ascii(first ? '\n' : ',\n')
      writeEntry(out, segment, line, firstSeq)
    },
  }
}

/** The messages alone, as they are, each closed by a newline; without times, so that the file is what the program printed. */
export function textWriter(): ExportWriter {
  return {
    head: '',
    tail: '',
    line(out, segment, line) {
      out.bytes(segment.text.subarray(segment.start(line), segment.end(line)))
    },
  }
}

/** Writes what `JSON.stringify` makes of an entry, without decoding its message where that needs no escape. */
function entryWriter(taskId: string) {
  const iso = isoTimes()
  const task = JSON.stringify(taskId)
  return (out: ByteWriter, segment: Segment, line: number, firstSeq: number): void => {
    const start = segment.start(line)
    const end = segment.end(line) - 1
    if (!isPlain(segment, line) || needsEscape(segment.text, start, end)) {
      out.text(JSON.stringify(segment.entry(line, taskId, firstSeq)))
      return
    }
    const seq = firstSeq + line
    const tag = segment.tag(line)
    const source = SOURCES[(tag & SOURCE_MASK) >> SOURCE_SHIFT]
    const level = LEVELS[tag & LEVEL_MASK]
    const at = iso(segment.time(line))
    out.ascii(
      `{"id":"${taskId}:${seq}","taskId":${task},"seq":${seq},"timestamp":"${at}","source":"${source}","level":"${level}","message":"`,
    )
    out.bytes(segment.text.subarray(start, end))
    const lineNumber = segment.lineNumber(line)
    out.ascii(lineNumber > 0 ? `","lineNumber":${lineNumber}}` : '"}')
  }
}

function needsEscape(text: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = text[at]!
    if (byte < 32 || byte === 34 || byte === 92) return true
  }
  return false
}
