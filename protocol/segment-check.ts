import { isDeeperThan, MAX_METADATA_DEPTH } from './depth.ts'
import { MAX_MESSAGE_BYTES } from './levels.ts'
import { Segment } from './segment.ts'
import {
  type ExtraList,
  LEVEL_MASK,
  NEWLINE,
  SegmentError,
  SOURCE_MASK,
  SOURCE_SHIFT,
} from './segment-layout.ts'

/** What a store keeps beside a segment's body, so that most questions need no body. Times in ms since the epoch. */
export interface SegmentSummary {
  count: number
  minAt: number
  maxAt: number
  /** Bytes of all messages, newlines included. */
  textBytes: number
  /** Lines by `source * 5 + level`; 15 numbers. */
  counts: number[]
}

const MAX_TIME = 8_640_000_000_000_000

/**
 * Reads bytes from a stranger as a segment: every length, end, tag and time is checked, and the text is valid UTF-8.
 * @param isUtf8 whether bytes are UTF-8 (`node:buffer`'s is far faster than a decoder)
 * @throws SegmentError that says what is wrong
 */
export function checkSegment(
  bytes: Uint8Array,
  isUtf8: (text: Uint8Array) => boolean,
): { segment: Segment; summary: SegmentSummary } {
  const segment = new Segment(bytes)
  const { count, text, baseTime } = segment
  if (!Number.isInteger(baseTime) || baseTime < 0 || baseTime > MAX_TIME)
    throw new SegmentError('base time is not a time')
  const counts = new Array<number>(15).fill(0)
  let start = 0
  let minAt = Number.POSITIVE_INFINITY
  let maxAt = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const end = segment.end(index)
    if (end <= start || end > text.length)
      throw new SegmentError(`end ${end} of line ${index} is not within ${start + 1} to ${text.length}`)
    if (end - start > MAX_MESSAGE_BYTES + 1)
      throw new SegmentError(`line ${index} has ${end - start - 1} bytes, over ${MAX_MESSAGE_BYTES}`)
    if (text[end - 1] !== NEWLINE) throw new SegmentError(`line ${index} is not closed by a newline`)
    start = end
    const tag = segment.tag(index)
    const level = tag & LEVEL_MASK
    const source = (tag & SOURCE_MASK) >> SOURCE_SHIFT
    if (level > 4 || source > 2 || tag > 0x7f)
      throw new SegmentError(`tag ${tag} of line ${index} is unknown`)
    counts[source * 5 + level]!++
    const at = segment.time(index)
    if (at < minAt) minAt = at
    if (at > maxAt) maxAt = at
  }
  if (start !== text.length)
    throw new SegmentError(`the last line ends at ${start}, the text at ${text.length}`)
  if (minAt < 0 || maxAt > MAX_TIME) throw new SegmentError('a line has an impossible time')
  if (!isUtf8(text)) throw new SegmentError('the text is not UTF-8')
  if (segment.extraBytes > 0) checkExtras(segment)
  return { segment, summary: { count, minAt, maxAt, textBytes: text.length, counts } }
}

function checkExtras(segment: Segment): void {
  let list: ExtraList
  try {
    list = segment.extraList()
  } catch {
    throw new SegmentError('the extra part is not JSON')
  }
  if (!Array.isArray(list)) throw new SegmentError('the extra part is not a list')
  let last = -1
  for (const item of list) {
    if (!Array.isArray(item) || item.length !== 2)
      throw new SegmentError('the extra part holds something else than pairs')
    const [index, extra] = item
    if (!Number.isInteger(index) || index <= last || index >= segment.count)
      throw new SegmentError('the extra part is out of order')
    last = index
    const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject(extra)) throw new SegmentError(`the extra of line ${index} is not an object`)
    const { metadata, step, durationMs, lineNumber, ...unknown } = extra
    const ok =
      Object.keys(unknown).length === 0 &&
      (metadata === undefined || isObject(metadata)) &&
      (step === undefined || (typeof step === 'string' && step.length <= 200)) &&
      (durationMs === undefined || (Number.isFinite(durationMs) && Number(durationMs) >= 0)) &&
      (lineNumber === undefined ||
        lineNumber === null ||
        (Number.isInteger(lineNumber) && lineNumber > 0 && lineNumber <= 0xffffffff))
    if (!ok)
      throw new SegmentError(`the extra of line ${index} has a field that is unknown or of a wrong type`)
    if (isDeeperThan(metadata, MAX_METADATA_DEPTH))
      throw new SegmentError(`the metadata of line ${index} is nested over ${MAX_METADATA_DEPTH} deep`)
  }
}
