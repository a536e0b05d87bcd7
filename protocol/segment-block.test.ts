import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Segment } from './segment.ts'
import { FLAG_CONTINUED, FLAG_OVERWRITES, SOURCE_SHIFT } from './segment-layout.ts'
import { SegmentWriter, type WriterLimits } from './segment-writer.ts'

const BASE = Date.UTC(2026, 0, 1)

/** Blocks as a reader of a stream gives them: one source and time each, numbered on or not at all. */
const blocks = fc.array(
  fc.record({
    messages: fc.array(
      fc.string({ maxLength: 12 }).map(text => text.replaceAll('\n', '')),
      {
        minLength: 1,
        maxLength: 30,
      },
    ),
    source: fc.nat({ max: 2 }),
    at: fc.integer({ min: BASE, max: BASE + 5 }),
    lineNumber: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
    flags: fc.constantFrom(0, 0, 0, FLAG_CONTINUED, FLAG_OVERWRITES),
    levels: fc.array(fc.nat({ max: 4 }), { minLength: 30, maxLength: 30 }),
  }),
  { minLength: 1, maxLength: 8 },
)
type Block = typeof blocks extends fc.Arbitrary<(infer T)[]> ? T : never

const limits = fc.record({
  textBytes: fc.integer({ min: 1, max: 400 }),
  lines: fc.integer({ min: 1, max: 50 }),
})

const tagsOf = ({ levels, source }: Block) =>
  Uint8Array.from(levels, level => level | (source << SOURCE_SHIFT))
const numberOf = ({ lineNumber }: Block, index: number) => (lineNumber === 0 ? 0 : lineNumber + index)

/** Segments of the lines, each begun where the one before took no more. */
function written(given: Block[], limit: Partial<WriterLimits>, add: typeof addBlock): Segment[] {
  const writer = new SegmentWriter(limit)
  const segments: Segment[] = []
  const finish = () => void segments.push(new Segment(writer.finish()))
  for (const block of given) {
    for (let from = 0; from < block.messages.length; ) {
      const reached = add(writer, block, from)
      if (reached < block.messages.length) finish()
      from = reached
    }
  }
  if (writer.count > 0) finish()
  return segments
}

function addBlock(writer: SegmentWriter, block: Block, from: number): number {
  const text = Buffer.from(block.messages.map(message => `${message}\n`).join(''))
  let end = 0
  const ends = Uint32Array.from(block.messages, message => (end += Buffer.byteLength(message) + 1))
  return writer.addBlock(text, ends, tagsOf(block), from, ends.length, block.at, numberOf(block, from))
}

function addLines(writer: SegmentWriter, block: Block, from: number): number {
  const tags = tagsOf(block)
  for (let index = from; index < block.messages.length; index++) {
    if (!writer.addString(block.messages[index]!, block.at, tags[index]!, numberOf(block, index)))
      return index
  }
  return block.messages.length
}

const bytesOf = (segments: Segment[]) => segments.map(({ bytes }) => Buffer.from(bytes).toString('hex'))

describe('Blocks of lines', () => {
  test('make the same segments as their lines one by one, whatever the limits', () => {
    fc.assert(
      fc.property(blocks, limits, (given, limit) => {
        expect(bytesOf(written(given, limit, addBlock))).toEqual(bytesOf(written(given, limit, addLines)))
      }),
    )
  })

  test('are taken over from other segments as if they had been written at once', () => {
    const addFlagged = (writer: SegmentWriter, block: Block, from: number) => {
      const tags = tagsOf(block)
      for (let index = from; index < block.messages.length; index++) {
        const tag = index === 0 ? tags[0]! | block.flags : tags[index]!
        if (!writer.addString(block.messages[index]!, block.at, tag, numberOf(block, index))) return index
      }
      return block.messages.length
    }
    fc.assert(
      fc.property(blocks, limits, (given, limit) => {
        const whole = written(given, {}, addFlagged)
        const merged = new SegmentWriter()
        for (const segment of written(given, limit, addFlagged)) {
          expect(merged.addRange(segment)).toBe(segment.count)
        }
        expect(entriesOf(new Segment(merged.finish()))).toEqual(whole.flatMap(entriesOf))
      }),
    )
  })

  test('are written alike into memory that is not aligned', () => {
    fc.assert(
      fc.property(blocks, fc.nat({ max: 7 }), (given, offset) => {
        const writer = new SegmentWriter()
        for (const block of given) addBlock(writer, block, 0)
        let into = new Uint8Array(0)
        writer.finishInto(size => {
          into = new Uint8Array(size + offset).subarray(offset)
          return into
        })
        expect(bytesOf([new Segment(into)])).toEqual(bytesOf(written(given, {}, addBlock)))
      }),
    )
  })
})

function entriesOf(segment: Segment): unknown[] {
  return Array.from({ length: segment.count }, (_, index) => segment.entry(index, 't', 1))
}
