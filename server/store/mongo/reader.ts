import type { Filter } from 'mongodb'
import type {
  RecentRange,
  SegmentHeader,
  SegmentReader,
  StoredBody,
  TaskTotals,
} from '#server/store/store.ts'
import { connect } from './client.ts'
import {
  COUNTS,
  HEADER_INDEX,
  headerProjection,
  type LogCollections,
  logCollections,
  RECENT_INDEX,
  type SegmentDocument,
  segmentId,
  toHeader,
} from './documents.ts'
import { guarded } from './errors.ts'
import { readHead, readHeads } from './head.ts'
import { readHeaders } from './headers.ts'

/** A thread reads for a few at once. */
const CONNECTIONS = 4

/** The reading half with connections of its own, for any thread. */
export async function openMongoReader(url: string): Promise<SegmentReader> {
  const { client, db } = await connect(url, CONNECTIONS, 'read')
  return { ...createReader(logCollections(db)), close: () => client.close() }
}

export function createReader(logs: LogCollections): Omit<SegmentReader, 'close'> {
  return {
    head: taskId => guarded(() => readHead(logs, taskId)),
    heads: taskIds => guarded(() => readHeads(logs, taskIds)),
    totals: taskIds => guarded(() => readTotals(logs, taskIds)),
    headers: (taskId, range) => guarded(() => readHeaders(logs, taskId, range)),
    bodies: (taskId, firstSeqs) => guarded(() => readBodies(logs, taskId, firstSeqs)),
    recent: range => guarded(() => readRecent(logs, range)),
    taskIds: (after, limit) => guarded(() => readTaskIds(logs, after, limit)),
  }
}

async function readBodies(
  { segments }: LogCollections,
  taskId: string,
  firstSeqs: number[],
): Promise<StoredBody[]> {
  const ids = firstSeqs.map(firstSeq => segmentId(taskId, firstSeq))
  const filter = { _id: { $in: ids }, taskId, firstSeq: { $gte: 1 } }
  const projection = { _id: 0, firstSeq: 1, codec: 1, body: 1 }
  const found = new Map<number, StoredBody>()
  for await (const { firstSeq, codec, body } of segments.find(filter, { projection }))
    found.set(firstSeq, { firstSeq, codec, body: bytesOf(body) })
  return firstSeqs.flatMap(firstSeq => found.get(firstSeq) ?? [])
}

/** A plain array of bytes over the same memory, because that is what other threads can be handed. */
function bytesOf({ buffer, position }: SegmentDocument['body']): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, position)
}

async function readRecent(
  { segments }: LogCollections,
  { from = 0, to, cursor, limit }: RecentRange,
): Promise<SegmentHeader[]> {
  const filter: Filter<SegmentDocument> = { maxAt: { $gte: from, ...(cursor ? { $lte: cursor.maxAt } : {}) } }
  if (to !== undefined) filter.minAt = { $lt: to }
  if (cursor) {
    const { maxAt, taskId, firstSeq } = cursor
    filter.$or = [
      { maxAt: { $lt: maxAt } },
      { maxAt, taskId: { $gt: taskId } },
      { maxAt, taskId, firstSeq: { $lt: firstSeq } },
    ]
  }
  const found = await segments
    .find(filter, { projection: headerProjection, hint: RECENT_INDEX })
    .sort({ maxAt: -1, taskId: 1, firstSeq: -1 })
    .limit(limit)
    .toArray()
  return found.map(toHeader)
}

/** One step in each index for each task, however long its log is. */
async function readTaskIds({ segments, streams }: LogCollections, after: string, limit: number) {
  const found: string[] = []
  for (let last = after; found.length < limit; last = found.at(-1)!) {
    const next = { taskId: { $gt: last } }
    const projection = { _id: 0, taskId: 1 }
    const [written, announced] = await Promise.all([
      segments
        .find(next, { projection, hint: HEADER_INDEX })
        .sort({ taskId: 1, firstSeq: 1 })
        .limit(1)
        .toArray(),
      streams.find(next, { projection }).sort({ taskId: 1 }).limit(1).toArray(),
    ])
    const [first] = [...written, ...announced].map(({ taskId }) => taskId).sort()
    if (first === undefined) break
    found.push(first)
  }
  return found
}

interface Sums {
  _id: string
  firstSeq: number | null
  lastSeq: number
  lines: number
  textBytes: number
  storedBytes: number
  busy: number | null
  [count: `c${number}`]: number
}

const sums = {
  _id: '$taskId',
  // The head is none of them.
  firstSeq: { $min: { $cond: [{ $gt: ['$count', 0] }, '$firstSeq', null] } },
  lastSeq: { $max: '$lastSeq' },
  lines: { $sum: '$count' },
  textBytes: { $sum: '$textBytes' },
  storedBytes: { $sum: '$storedBytes' },
  busy: { $max: '$busy' },
  ...Object.fromEntries(COUNTS.map(name => [name, { $sum: `$${name}` }])),
}

async function readTotals(logs: LogCollections, taskIds: string[]): Promise<Map<string, TaskTotals>> {
  const wanted = { taskId: { $in: taskIds }, firstSeq: { $gte: 0 } }
  const rows = await logs.segments
    .aggregate<Sums>([{ $match: wanted }, { $group: sums }], { hint: HEADER_INDEX })
    .toArray()
  const found = new Map(rows.map(row => [row._id, row]))
  const totals = new Map<string, TaskTotals>()
  for (const taskId of taskIds) {
    const row = found.get(taskId)
    totals.set(taskId, row && mayOverlap(row) ? await countTiles(logs, row) : toTotals(row))
  }
  return totals
}

/** Lines that are stored twice while segments are replaced count once. */
function mayOverlap({ busy, firstSeq, lastSeq, lines }: Sums): boolean {
  return busy === 1 || lines > lastSeq - (firstSeq ?? 1) + 1
}

const HEADERS_AT_ONCE = 1000

async function countTiles(logs: LogCollections, { _id: taskId, lastSeq }: Sums): Promise<TaskTotals> {
  const totals = { ...toTotals(undefined), lastSeq }
  for (let after = 0; ; ) {
    const headers = await readHeaders(logs, taskId, { after, order: 'asc', limit: HEADERS_AT_ONCE })
    for (const { firstSeq, count, textBytes, storedBytes, counts } of headers) {
      totals.firstSeq ||= firstSeq
      totals.lines += count
      totals.textBytes += textBytes
      totals.storedBytes += storedBytes
      counts.forEach((lines, at) => {
        totals.counts[at]! += lines
      })
      after = firstSeq + count - 1
    }
    totals.lastSeq = Math.max(totals.lastSeq, after)
    if (headers.length < HEADERS_AT_ONCE) return totals
  }
}

function toTotals(row: Sums | undefined): TaskTotals {
  return {
    firstSeq: row?.firstSeq ?? 0,
    lastSeq: row?.lastSeq ?? 0,
    lines: row?.lines ?? 0,
    textBytes: row?.textBytes ?? 0,
    storedBytes: row?.storedBytes ?? 0,
    counts: COUNTS.map(name => row?.[name] ?? 0),
  }
}
