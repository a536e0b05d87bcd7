import { LEVELS, SOURCES } from '#protocol/levels.ts'
import type { Segment } from '#protocol/segment.ts'
import { LEVEL_MASK, SOURCE_MASK, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import type { ByteWriter } from './byte-writer.ts'
import { type ExportWriter, isPlain } from './export-writer.ts'
import { isoTimes } from './iso-time.ts'

const COLUMNS = 'seq,timestamp,source,level,message,lineNumber,step,durationMs,metadata,id'

/**
 * RFC 4180 with a header row. A text cell that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, tab or carriage
 * return, and is no plain number) gets a `'` before it.
 */
export function csvWriter(taskId: string): ExportWriter {
  const iso = isoTimes()
  return {
    head: `${COLUMNS}\r\n`,
    tail: () => '',
    line(out, segment, line, firstSeq) {
      const tag = segment.tag(line)
      const seq = firstSeq + line
      const source = SOURCES[(tag & SOURCE_MASK) >> SOURCE_SHIFT]
      out.ascii(`${seq},${iso(segment.time(line))},${source},${LEVELS[tag & LEVEL_MASK]},`)
      textCell(out, segment.text, segment.start(line), segment.end(line) - 1)
      const lineNumber = segment.lineNumber(line) || ''
      if (isPlain(segment, line)) out.ascii(`,${lineNumber},,,,${taskId}:${seq}\r\n`)
      else {
        out.ascii(`,${lineNumber},`)
        rareCells(out, segment, line, taskId, firstSeq)
        out.ascii(`,${taskId}:${seq}\r\n`)
      }
    },
  }
}

function rareCells(out: ByteWriter, segment: Segment, line: number, taskId: string, firstSeq: number): void {
  const { step, durationMs, metadata } = segment.entry(line, taskId, firstSeq)
  stringCell(out, step ?? '')
  out.ascii(`,${durationMs ?? ''},`)
  stringCell(out, metadata ? JSON.stringify(metadata) : '')
}

const encoder = new TextEncoder()
function stringCell(out: ByteWriter, text: string): void {
  const bytes = encoder.encode(text)
  textCell(out, bytes, 0, bytes.length)
}

const QUOTE = 34
const APOSTROPHE = 39
const RUNS = new Set(Buffer.from('=+-@\t\r'))
const MUST_QUOTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  '",\n\r\t'.includes(String.fromCharCode(byte)) ? 1 : 0,
)
const LONGEST_NUMBER = 40
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function textCell(out: ByteWriter, text: Uint8Array, start: number, end: number): void {
  const runs = start < end && RUNS.has(text[start]!) && !isNumber(text, start, end)
  out.direct((end - start) * 2 + 3, (bytes, position) => {
    if (runs) return quoted(bytes, position, text, start, end, true)
    for (let from = start, to = position; from < end; from++) {
      const byte = text[from]!
      if (MUST_QUOTE[byte] === 1) return quoted(bytes, position, text, start, end, false)
      bytes[to++] = byte
    }
    return end - start
  })
}

/** Writes a quoted cell and returns its length. */
function quoted(
  bytes: Uint8Array,
  position: number,
  text: Uint8Array,
  start: number,
  end: number,
  defused: boolean,
): number {
  let to = position
  bytes[to++] = QUOTE
  if (defused) bytes[to++] = APOSTROPHE
  for (let from = start; from < end; from++) {
    const byte = text[from]!
    if (byte === QUOTE) bytes[to++] = QUOTE
    bytes[to++] = byte
  }
  bytes[to++] = QUOTE
  return to - position
}

function isNumber(text: Uint8Array, start: number, end: number): boolean {
  return end - start <= LONGEST_NUMBER && NUMBER.test(String.fromCharCode(...text.subarray(start, end)))
}
