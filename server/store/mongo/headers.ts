import type { HeaderRange, SegmentHeader } from '#server/store/store.ts'
import {
  HEADER_INDEX,
  headerProjection,
  type LogCollections,
  type SegmentDocument,
  toHeader,
} from './documents.ts'
import { tile } from './tiles.ts'

/** A range of so few lines is read at once. */
const FEW_LINES = 1024
const LEAST_AT_ONCE = 128

/**
 * Segments are always read downwards: while they are replaced, the new ones come before the old ones go, and none begins later than
 * what it covers; so whoever reads downwards meets each line. Upwards, a covering one may have come in behind the reader.
 */
export async function readHeaders(
  logs: LogCollections,
  taskId: string,
  { after = 0, before = Number.MAX_SAFE_INTEGER, order, limit }: HeaderRange,
): Promise<SegmentHeader[]> {
  if (limit <= 0) return []
  const found =
    order === 'desc'
      ? await last(logs, taskId, after, before, limit)
      : await first(logs, taskId, after, before, limit)
  return found.map(toHeader)
}

async function last(logs: LogCollections, taskId: string, after: number, before: number, limit: number) {
  const found: SegmentDocument[] = []
  let bound = before
  while (found.length < limit && bound - after > 1) {
    const most = Math.min(limit - found.length, bound - after - 1)
    const documents = await below(logs, taskId, bound, most).toArray()
    const lowest = documents.at(-1)
    if (!lowest) break
    const tiles = tile(documents.reverse(), Math.max(after, lowest.firstSeq - 1))
    found.push(...tiles.reverse())
    bound = lowest.firstSeq
    if (documents.length < most) break
  }
  return found.slice(0, limit)
}

async function first(logs: LogCollections, taskId: string, after: number, before: number, limit: number) {
  const found: SegmentDocument[] = []
  let seen = after
  while (found.length < limit && before - seen > 1) {
    const end =
      before - seen > FEW_LINES ? await startOf(logs, taskId, seen, limit - found.length) : undefined
    const bound = Math.min(before, end ?? before)
    const tiles = await between(logs, taskId, seen, bound, limit)
    found.push(...tiles)
    // The end of the log, or of the range.
    if (bound === before) break
    seen = Math.max(bound - 1, tiles.at(-1)?.lastSeq ?? 0)
  }
  return found.slice(0, limit)
}

/** All from the one that holds `after + 1` to the one that holds `before - 1`. */
async function between(
  logs: LogCollections,
  taskId: string,
  after: number,
  before: number,
  expected: number,
) {
  const documents: SegmentDocument[] = []
  const most = Math.min(before - after - 1, Math.max(expected, LEAST_AT_ONCE)) + 1
  for (let bound = before; bound > 1; ) {
    const more = await below(logs, taskId, bound, most).toArray()
    documents.push(...more)
    const lowest = more.at(-1)
    if (!lowest || more.length < most || lowest.firstSeq <= after + 1) break
    bound = lowest.firstSeq
  }
  return tile(documents.reverse(), after)
}

function below({ segments }: LogCollections, taskId: string, before: number, limit: number) {
  return segments
    .find(
      { taskId, firstSeq: { $gte: 1, $lt: before } },
      { projection: headerProjection, hint: HEADER_INDEX },
    )
    .sort({ taskId: -1, firstSeq: -1 })
    .limit(limit)
}

/** Where the segment begins that comes after `count` others from `after` on. */
async function startOf({ segments }: LogCollections, taskId: string, after: number, count: number) {
  const filter = { taskId, firstSeq: { $gt: after + 1 } }
  const [found] = await segments
    .find(filter, { projection: { _id: 0, firstSeq: 1 }, hint: HEADER_INDEX })
    .sort({ taskId: 1, firstSeq: 1 })
    .skip(count)
    .limit(1)
    .toArray()
  return found?.firstSeq
}
