import type { Segment } from '#protocol/segment.ts'
import type { SegmentHeader, SegmentReader } from '#server/store/store.ts'
import { BodyOpener } from './body-opener.ts'
import type { Turn } from './turns.ts'

/** What a query works with. */
export interface QueryContext {
  reader: SegmentReader
  turn: Turn
}

export interface ScanRange {
  /** Lines above this seq; default 0. */
  after?: number
  /** Lines below this seq; default no bound. */
  before?: number
  order: 'asc' | 'desc'
  /** How many headers are asked for first, where it is known that more than a few segments are wanted. */
  firstHeaders?: number
}

/** Lines `from` … `to - 1` of one stored segment. */
export interface Piece {
  header: SegmentHeader
  from: number
  to: number
  /** Present where the scan was told to open it; good until the scan goes on. */
  segment: Segment | undefined
  /** Whether the store must be asked before the scan can go on. */
  isLastOfBatch: boolean
}

const FIRST_HEADERS = 8
const MOST_HEADERS = 512
const FIRST_BATCH_BYTES = 256 * 1024
const MOST_BATCH_BYTES = 1024 * 1024
const BATCH_SEGMENTS = 256
const MOST_MISSES = 10

/**
 * Walks a task's segments so that each line is seen once, even where segments are merged or deleted meanwhile.
 * @param opens which segments' bodies are needed
 */
export async function* scan(
  context: QueryContext,
  taskId: string,
  range: ScanRange,
  opens: (header: SegmentHeader) => boolean,
): AsyncGenerator<Piece, void, undefined> {
  using opener = new BodyOpener()
  yield* walk(context, taskId, range, opens, opener)
}

async function* walk(
  { reader, turn }: QueryContext,
  taskId: string,
  { after = 0, before = Number.POSITIVE_INFINITY, order, firstHeaders = FIRST_HEADERS }: ScanRange,
  opens: (header: SegmentHeader) => boolean,
  opener: BodyOpener,
): AsyncGenerator<Piece, void, undefined> {
  let limit = firstHeaders
  let batchBytes = FIRST_BATCH_BYTES
  let misses = 0
  headers: while (before - after > 1) {
    const bound = before === Number.POSITIVE_INFINITY ? undefined : before
    const headers = await reader.headers(taskId, { after, before: bound, order, limit })
    for (let at = 0; at < headers.length; ) {
      const batch = nextBatch(headers, at, opens, batchBytes)
      const bodies = await openBatch(reader, taskId, batch.opened)
      const wanted = new Set(batch.opened)
      for (const header of headers.slice(at, batch.end)) {
        const stored = bodies.get(header.firstSeq)
        const segment = stored && opener.open(stored, header)
        if (wanted.has(header.firstSeq) && segment?.count !== header.count) {
          // Merged or deleted since the headers were read: look again from where we stand.
          if (++misses > MOST_MISSES)
            throw new Error(`segment ${header.firstSeq} of ${taskId} cannot be read`)
          continue headers
        }
        misses = 0
        const last = header.firstSeq + header.count - 1
        const from = Math.max(0, after + 1 - header.firstSeq)
        const to = Math.min(header.count, before - header.firstSeq)
        if (order === 'asc') after = Math.max(after, last)
        else before = Math.min(before, header.firstSeq)
        const isLastOfBatch = header === headers[batch.end - 1]
        if (from < to) yield { header, from, to, segment, isLastOfBatch }
        await turn()
      }
      at = batch.end
      batchBytes = Math.min(batchBytes * 2, MOST_BATCH_BYTES)
    }
    if (headers.length < limit) return
    limit = Math.min(limit * 4, MOST_HEADERS)
  }
}

function nextBatch(
  headers: SegmentHeader[],
  start: number,
  opens: (header: SegmentHeader) => boolean,
  most: number,
): { end: number; opened: number[] } {
  const opened: number[] = []
  let bytes = 0
  let end = start
  while (end < headers.length && bytes < most && opened.length < BATCH_SEGMENTS) {
    const header = headers[end++]!
    if (!opens(header)) continue
    opened.push(header.firstSeq)
    bytes += header.textBytes
  }
  return { end, opened }
}

async function openBatch(reader: SegmentReader, taskId: string, firstSeqs: number[]) {
  const bodies = firstSeqs.length > 0 ? await reader.bodies(taskId, firstSeqs) : []
  return new Map(bodies.map(body => [body.firstSeq, body]))
}
