import { Buffer, isAscii } from 'node:buffer'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import type { Segment } from '#protocol/segment.ts'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import { LEVEL_MASK, SOURCE_MASK, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import { type TextFinder, textFinder } from './find-text.ts'

/** A filter over whole segments; agrees with `matchesEntry` line by line. Pure. */
export interface SegmentMatcher {
  /** How many lines match, or `undefined` where only the lines themselves can tell. */
  headerCount(summary: SegmentSummary): number | undefined
  /** The matching lines among `from` … `to - 1`, rising. */
  lines(segment: Segment, from?: number, to?: number): number[]
}

export function segmentMatcher(filter: CompiledFilter): SegmentMatcher {
  const tags = Uint8Array.from({ length: 256 }, (_, tag) => (filter.tags[tagNumber(tag)] ? 1 : 0))
  const timed = filter.from > Number.NEGATIVE_INFINITY || filter.to < Number.POSITIVE_INFINITY
  const finder = filter.search === undefined ? undefined : textFinder(filter.search, filter.caseSensitive)
  const byFields = (segment: Segment, index: number) =>
    tags[segment.tag(index)] === 1 &&
    (!timed || within(filter, segment.time(index))) &&
    (filter.step === undefined || segment.extra(index)?.step === filter.step)
  return {
    headerCount(summary) {
      if (summary.maxAt < filter.from || summary.minAt >= filter.to) return 0
      const possible = filter.allTags ? summary.count : tagCount(filter, summary)
      if (possible === 0) return 0
      const open = filter.step !== undefined || filter.pattern !== undefined
      return open || summary.minAt < filter.from || summary.maxAt >= filter.to ? undefined : possible
    },
    lines(segment, from = 0, to = segment.count) {
      if (filter.step !== undefined && segment.extraBytes === 0) return []
      if (finder) return foundLines(segment, from, to, finder, byFields)
      if (filter.pattern) return patternLines(segment, from, to, filter.pattern, byFields)
      const found: number[] = []
      for (let index = from; index < to; index++) if (byFields(segment, index)) found.push(index)
      return found
    },
  }
}

/** Position in `CompiledFilter.tags` and `SegmentSummary.counts` of a line's tag byte. */
export function tagNumber(tag: number): number {
  return ((tag & SOURCE_MASK) >> SOURCE_SHIFT) * 5 + (tag & LEVEL_MASK)
}

type LineTest = (segment: Segment, index: number) => boolean

const within = (filter: CompiledFilter, at: number) => at >= filter.from && at < filter.to

function tagCount(filter: CompiledFilter, summary: SegmentSummary): number {
  let count = 0
  for (let tag = 0; tag < 15; tag++) if (filter.tags[tag]) count += summary.counts[tag]!
  return count
}

function foundLines(
  segment: Segment,
  from: number,
  to: number,
  finder: TextFinder,
  test: LineTest,
): number[] {
  const found: number[] = []
  const text = asBuffer(segment.text)
  const limit = to === segment.count ? text.length : segment.start(to)
  let index = from
  const next = finder.over(text)
  let at = from < to ? next(segment.start(from)) : -1
  while (at >= 0 && at < limit) {
    index = lineAt(segment, at, index)
    const end = segment.end(index)
    // A find that runs over the newline that closes the line is none; one in the same line may still follow.
    const inside = at + finder.length < end
    if (inside && test(segment, index)) found.push(index)
    at = next(inside ? end : at + 1)
  }
  return found
}

/** The line that holds a byte of the text, at or after line `least`. */
function lineAt(segment: Segment, at: number, least: number): number {
  let low = least
  let high = segment.count - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (segment.end(middle) > at) high = middle
    else low = middle + 1
  }
  return low
}

function patternLines(segment: Segment, from: number, to: number, pattern: RegExp, test: LineTest): number[] {
  const found: number[] = []
  // One decoding of all is far cheaper than one a line, and in ASCII positions in bytes and in characters are the same.
  const whole = isAscii(segment.text) ? asBuffer(segment.text).toString('latin1') : undefined
  for (let index = from; index < to; index++) {
    if (!test(segment, index)) continue
    const message = whole?.slice(segment.start(index), segment.end(index) - 1) ?? segment.message(index)
    if (pattern.test(message)) found.push(index)
  }
  return found
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
