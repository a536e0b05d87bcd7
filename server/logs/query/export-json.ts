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
    tail: () => '',
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
    tail: () => '\n]\n',
    line(out, segment, line, firstSeq, last) {
      out.ascii(last.none ? '\n' : ',\n')
      writeEntry(out, segment, line, firstSeq)
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
    if (!isPlain(segment, line)) {
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
    out.direct((end - start) * LONGEST_ESCAPE, (bytes, to) =>
      writeEscaped(bytes, to, segment.text, start, end),
    )
    const lineNumber = segment.lineNumber(line)
    out.ascii(lineNumber > 0 ? `","lineNumber":${lineNumber}}` : '"}')
  }
}

const LONGEST_ESCAPE = 6
/** By byte, how `JSON.stringify` escapes it; beyond the last, and where there is nothing, it stands for itself. */
const ESCAPES = Array.from({ length: 128 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  const escaped = JSON.stringify(character).slice(1, -1)
  return escaped === character ? undefined : Buffer.from(escaped)
})

/** Writes UTF-8 as the inside of a JSON string and returns its length. */
function writeEscaped(
  bytes: Uint8Array,
  position: number,
  text: Uint8Array,
  start: number,
  end: number,
): number {
  let to = position
  for (let from = start; from < end; from++) {
    const byte = text[from]!
    const escaped = byte < 32 || byte === 34 || byte === 92 ? ESCAPES[byte] : undefined
    if (escaped) for (const part of escaped) bytes[to++] = part
    else bytes[to++] = byte
  }
  return to - position
}
