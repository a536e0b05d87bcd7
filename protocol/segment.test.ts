import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LEVELS, type LogEntry, SOURCES } from './log.ts'
import { Segment } from './segment.ts'
import { checkSegment } from './segment-check.ts'
import { decodeSegmentFrame, encodeSegmentFrame } from './segment-frame.ts'
import {
  COLUMN_BYTES,
  type EntryExtra,
  FLAG_CONTINUED,
  FLAG_OVERWRITES,
  HEADER_BYTES,
  SegmentError,
  SOURCE_SHIFT,
} from './segment-layout.ts'
import { SegmentWriter, sliceSegment } from './segment-writer.ts'

interface Line {
  message: string
  at: number
  tag: number
  lineNumber: number
  extra: EntryExtra | undefined
}

const BASE = Date.UTC(2026, 0, 1)

const line: fc.Arbitrary<Line> = fc
  .record({
    message: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }).map(text => text.toWellFormed()),
      fc.constant(''),
      fc.constant('a\nb'),
    ),
    at: fc.integer({ min: BASE, max: BASE + 1_000_000 }),
    level: fc.nat({ max: LEVELS.length - 1 }),
    source: fc.nat({ max: SOURCES.length - 1 }),
    flags: fc.constantFrom(0, 0, 0, FLAG_CONTINUED, FLAG_OVERWRITES),
    lineNumber: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4_000_000_000 }),
    ),
    extra: fc.option(
      fc.record(
        {
          metadata: fc.dictionary(fc.string(), fc.jsonValue()),
          step: fc.string({ maxLength: 20 }),
          durationMs: fc.nat(),
        },
        { requiredKeys: [] },
      ),
      { nil: undefined, freq: 3 },
    ),
  })
  .map(({ level, source, flags, ...rest }) => ({ ...rest, tag: level | (source << SOURCE_SHIFT) | flags }))

const lines = fc.array(line, { minLength: 1, maxLength: 60 })

describe('A segment', () => {
  test('gives back any lines as they went in', () => {
    fc.assert(
      fc.property(lines, given => {
        expect(entriesOf([write(given)])).toEqual(given.map(expected))
      }),
    )
  })

  test('holds the same lines however it is split and merged again', () => {
    fc.assert(
      fc.property(
        lines,
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (given, cuts, merges) => {
          const split = pieces(write(given), cuts)
          const merged = mergeAt(split, merges)
          expect(entriesOf(split)).toEqual(given.map(expected))
          expect(entriesOf(merged)).toEqual(given.map(expected))
        },
      ),
    )
  })

  test('is summarised by what its lines are', () => {
    fc.assert(
      fc.property(lines, given => {
        const { summary } = checkSegment(write(given).bytes, isUtf8)
        const counts = new Array(15).fill(0)
        for (const { tag } of given) counts[((tag >> SOURCE_SHIFT) & 3) * 5 + (tag & 7)]++
        expect(summary).toEqual({
          count: given.length,
          counts,
          minAt: Math.min(...given.map(({ at }) => at)),
          maxAt: Math.max(...given.map(({ at }) => at)),
          textBytes: given.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 1, 0),
        })
      }),
    )
  })

  test('takes no line that belongs into the next one, and always takes the first', () => {
    const writer = new SegmentWriter({ textBytes: 10, lines: 3 })
    expect(writer.addString('longer than ten bytes', BASE, 1)).toBe(true)
    expect(writer.addString('x', BASE, 1)).toBe(false)
    writer.finish()
    expect([1, 2, 3, 4].map(() => writer.addString('', BASE, 1))).toEqual([true, true, true, false])
    writer.finish()
    expect([writer.addString('', BASE, 1), writer.addString('', BASE + 2 ** 31, 1)]).toEqual([true, false])
  })

  test('is cut without losing a line, though its times reach far to both sides and every line has a number of its own', () => {
    const far = 2 ** 31 - 1
    const times = write([0, -far, far].map(after => plain('x', BASE + after, 0)))
    expect(sliceSegment(times, 1).count).toBe(2)
    expect(sliceSegment(times, 1).time(1)).toBe(BASE + far)
    const numbers = write(Array.from({ length: 3000 }, (_, index) => plain('x', BASE, 9000 - index)))
    expect(sliceSegment(numbers, 1).count).toBe(2999)
    expect(sliceSegment(numbers, 1).lineNumber(2998)).toBe(9000 - 2999)
  })

  test('is never larger than a reader takes, however odd the line numbers and steps are', () => {
    const odd = (extra: EntryExtra | undefined) => {
      const writer = new SegmentWriter({ textBytes: 1024 * 1024 })
      for (let n = 1; writer.addString('', BASE, 1, 3_000_000_000 + 2 * n, extra); n++);
      return writer.finish()
    }
    expect(checkSegment(odd(undefined), isUtf8).summary.count).toBeGreaterThan(10_000)
    expect(checkSegment(odd({ step: '\u0000'.repeat(200) }), isUtf8).summary.count).toBeGreaterThan(100)
  })
})

describe('Hostile bytes', () => {
  test('are refused with a reason or read without leaving them, whatever is changed in a segment', () => {
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat({ max: 255 }), (given, position, value) => {
        const bytes = write(given).bytes.slice()
        bytes[position % bytes.length] = value
        readOrRefuse(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test('are refused with a reason when they are cut short or too long', () => {
    fc.assert(
      fc.property(lines, fc.nat(), (given, length) => {
        const { bytes } = write(given)
        expect(() => checkSegment(bytes.slice(0, length % bytes.length), isUtf8)).toThrow(SegmentError)
        expect(() => checkSegment(Buffer.concat([bytes, Buffer.from('x')]), isUtf8)).toThrow(/lengths say/)
      }),
    )
  })

  test('are refused with a reason when they are random', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        bytes => void expect(() => checkSegment(bytes, isUtf8)).toThrow(SegmentError),
      ),
    )
  })

  const one = () =>
    write([{ message: 'ab', at: BASE, tag: 1, lineNumber: 0, extra: undefined }]).bytes.slice()
  const changed = (change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = one()
    change(bytes, new DataView(bytes.buffer))
    return () => checkSegment(bytes, isUtf8)
  }
  const endAt = HEADER_BYTES + 4
  const textAt = HEADER_BYTES + COLUMN_BYTES

  test.each([
    ['a wrong beginning', changed(bytes => bytes.set([0])), /begin with "KSG"/],
    ['a newer version', changed(bytes => bytes.set([9], 3)), /version 9 is not supported/],
    ['no lines', changed((_, view) => view.setUint32(4, 0, true)), /count 0/],
    ['more lines than may be', changed((_, view) => view.setUint32(4, 1_000_000, true)), /count 1000000/],
    [
      'a text that is longer than the bytes',
      changed((_, view) => view.setUint32(16, 4000, true)),
      /lengths say/,
    ],
    ['a line that ends behind the text', changed((_, view) => view.setUint32(endAt, 40, true)), /not within/],
    ['a line that is not closed', changed(bytes => bytes.set([120], textAt + 2)), /not closed by a newline/],
    ['an unknown tag', changed(bytes => bytes.set([0xff], HEADER_BYTES + 8)), /tag 255/],
    ['a time that is none', changed((_, view) => view.setFloat64(8, Number.NaN, true)), /base time/],
    ['a text that is not UTF-8', changed(bytes => bytes.set([0xff], textAt)), /not UTF-8/],
  ])('with %s are refused', (_, read, reason) => {
    expect(read).toThrow(reason)
  })
})

describe('A segment frame', () => {
  test('carries stream, position and segment', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/),
        fc.integer({ min: 1, max: 2 ** 50 }),
        lines,
        (streamId, firstN, given) => {
          const { bytes } = write(given)
          const frame = decodeSegmentFrame(encodeSegmentFrame({ streamId, firstN, segment: bytes }))
          expect({ streamId: frame.streamId, firstN: frame.firstN }).toEqual({ streamId, firstN })
          expect(Buffer.from(frame.segment)).toEqual(Buffer.from(bytes))
        },
      ),
    )
  })

  test('is refused with a reason when its bytes are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        try {
          decodeSegmentFrame(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(SegmentError)
        }
      }),
    )
  })
})

function plain(message: string, at: number, lineNumber: number): Line {
  return { message, at, tag: 1, lineNumber, extra: undefined }
}

function write(given: Line[]): Segment {
  const writer = new SegmentWriter({ textBytes: 1024 * 1024 })
  for (const { message, at, tag, lineNumber, extra } of given)
    expect(writer.addString(message, at, tag, lineNumber, extra)).toBe(true)
  return new Segment(writer.finish())
}

function pieces(segment: Segment, cuts: number[]): Segment[] {
  const borders = [...new Set([0, ...cuts.map(cut => cut % segment.count), segment.count])].sort(
    (a, b) => a - b,
  )
  return borders.slice(1).map((to, index) => sliceSegment(segment, borders[index]!, to))
}

function mergeAt(segments: Segment[], merges: number[]): Segment[] {
  const merged = [...segments]
  for (const merge of merges) {
    const at = merge % merged.length
    const [left, right] = [merged[at]!, merged[at + 1]]
    if (!right) continue
    const writer = new SegmentWriter({ textBytes: 1024 * 1024 })
    writer.addRange(left)
    writer.addRange(right)
    merged.splice(at, 2, new Segment(writer.finish()))
  }
  return merged
}

function entriesOf(segments: Segment[]): LogEntry[] {
  let seq = 1
  return segments.flatMap(segment => {
    const { segment: checked } = checkSegment(segment.bytes, isUtf8)
    const entries = Array.from({ length: checked.count }, (_, index) => checked.entry(index, 't', seq))
    seq += checked.count
    return entries
  })
}

function expected({ message, at, tag, lineNumber, extra }: Line, index: number): LogEntry {
  const flags = {
    ...(tag & FLAG_CONTINUED && { continued: true }),
    ...(tag & FLAG_OVERWRITES && { overwrites: true }),
  }
  const metadata =
    extra?.metadata || Object.keys(flags).length ? { ...normal(extra?.metadata), ...flags } : undefined
  return normal({
    id: `t:${index + 1}`,
    taskId: 't',
    seq: index + 1,
    timestamp: new Date(at).toISOString(),
    source: SOURCES[(tag >> SOURCE_SHIFT) & 3]!,
    level: LEVELS[tag & 7]!,
    message,
    lineNumber: lineNumber || undefined,
    step: extra?.step,
    durationMs: extra?.durationMs,
    metadata,
  })
}

/** What JSON keeps of a value. */
function normal<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T)
}

function readOrRefuse(bytes: Uint8Array): void {
  try {
    const { segment } = checkSegment(bytes, isUtf8)
    for (let index = 0; index < segment.count; index++) segment.entry(index, 't', 1)
  } catch (error) {
    expect(error).toBeInstanceOf(SegmentError)
  }
}
