import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LEVELS, SOURCES } from '#protocol/levels.ts'
import { compileFilter, type LogFilter, matchesEntry } from '#protocol/log-filter.ts'
import { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { segmentMatcher } from './match-segment.ts'

const BASE = Date.parse('2024-01-01T00:00:00.000Z')
const PIECES = [
  'a',
  'A',
  'b',
  'ab',
  'AB',
  'K',
  'k',
  '\u212a',
  'ſ',
  's',
  'ß',
  'Ä',
  'ä',
  'é',
  'E\u0301',
  '日本',
  '\n',
  ' ',
  '\u0000',
  '\ufeff',
  '😀',
  '\ud83d',
  '.',
  '+',
  '(',
  'x'.repeat(9),
]
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map(parts => parts.join(''))
const line = fc.record({
  text,
  at: fc.integer({ min: 0, max: 20 }),
  source: fc.nat({ max: 2 }),
  level: fc.nat({ max: 4 }),
  flags: fc.constantFrom(0, 0x20, 0x40),
  step: fc.constantFrom(undefined, undefined, undefined, 'build', 'Build'),
})
const moment = fc.integer({ min: -1, max: 21 }).map(at => new Date(BASE + at).toISOString())
const filter: fc.Arbitrary<LogFilter> = fc.record(
  {
    source: fc.subarray([...SOURCES]),
    level: fc.subarray([...LEVELS]),
    minLevel: fc.constantFrom(...LEVELS),
    step: fc.constantFrom('build', 'none'),
    from: moment,
    to: moment,
    search: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }).map(parts => parts.join('')),
    caseSensitive: fc.boolean(),
  },
  { requiredKeys: [] },
)
const padding = fc.constantFrom(0, 0, 300)

test('a segment has the same matches as its entries one by one, whatever the lines and the filter', () => {
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 30 }),
      filter,
      padding,
      (lines, filter, padding) => {
        const writer = new SegmentWriter()
        const add = (item: (typeof lines)[number]) =>
          writer.addString(
            item.text,
            BASE + item.at,
            item.level | (item.source << 3) | item.flags,
            0,
            item.step === undefined ? undefined : { step: item.step },
          )
        for (const item of lines) add(item)
        // Enough text that a search samples it.
        for (let more = 0; more < padding; more++)
          add({ ...lines[0]!, text: `padding of 64 characters, number ${more} ${'-'.repeat(30)}` })
        const { segment, summary } = checkSegment(writer.finish(), isUtf8)
        const compiled = compileFilter(filter)
        const expected: number[] = []
        for (let index = 0; index < segment.count; index++)
          if (matchesEntry(compiled, segment.entry(index, 't', 1))) expected.push(index)
        const matcher = segmentMatcher(compiled)
        expect(matcher.lines(segment)).toEqual(expected)
        const middle = segment.count >> 1
        expect(matcher.lines(segment, 1, middle)).toEqual(
          expected.filter(index => index >= 1 && index < middle),
        )
        expect(matcher.headerCount(summary) ?? expected.length).toBe(expected.length)
      },
    ),
    { numRuns: 1500 },
  )
})

test.each([
  ['kelvin', 'K', false, '\u212a', false],
  ['other case of ASCII', 'error', false, 'ERROR', true],
  ['other case beyond ASCII', 'ärger', false, 'ÄRGER', true],
  ['exact case asked for', 'error', true, 'ERROR', false],
  ['characters of patterns', 'a.c', false, 'abc', false],
  ['a byte order mark', '\ufeff', true, '\ufeffa', true],
  ['half a pair', '\ud83d', true, '😀', true],
])('a text search: %s', (_, search, caseSensitive, message, matches) => {
  const writer = new SegmentWriter()
  writer.addString(message, BASE, 1)
  const matcher = segmentMatcher(compileFilter({ search, caseSensitive }))
  expect(matcher.lines(new Segment(writer.finish()))).toEqual(matches ? [0] : [])
})

test('a regular expression sees one message at a time', () => {
  const writer = new SegmentWriter()
  for (const message of ['one', 'two\nlines', 'ONE two', 'ünï one']) writer.addString(message, BASE, 1)
  const segment = new Segment(writer.finish())
  const found = (search: string) => segmentMatcher(compileFilter({ search, regex: true })).lines(segment)
  expect(found('^one$')).toEqual([0])
  expect(found('one')).toEqual([0, 2, 3])
  expect(found('two.lines')).toEqual([])
  expect(found('two\\slines')).toEqual([1])
})
