import type { LogEntry } from '#protocol/log.ts'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import type { Segment } from '#protocol/segment.ts'
import type { SegmentHeader, SegmentReader } from '#server/store/store.ts'
import { BodyOpener } from './body-opener.ts'
import { segmentMatcher } from './match-segment.ts'
import { formatCursor, NewestHits, type Place, parseCursor } from './newest-hits.ts'
import type { QueryContext } from './scan.ts'

export interface SearchRequest {
  filter: CompiledFilter
  limit: number
  cursor?: string
  taskIds?: string[]
  /** After so many ms what is certain is answered, to be continued from the cursor. */
  budgetMs: number
}
export interface SearchAnswer {
  entries: LogEntry[]
  cursor: string | null
}

const TRIES = 5

/** Matching entries of all tasks, newest first. */
export async function searchTasks(context: QueryContext, request: SearchRequest): Promise<SearchAnswer> {
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor)
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await searchOnce(context, request, after)
    if (answer) return answer
  }
  throw new Error('the logs are being merged faster than they can be searched')
}

/** `undefined` where a segment was merged or deleted under our hands: its lines may now stand before where we are. */
async function searchOnce(
  context: QueryContext,
  request: SearchRequest,
  after: Place | undefined,
): Promise<SearchAnswer | undefined> {
  const stopAt = performance.now() + request.budgetMs
  const matcher = segmentMatcher(request.filter)
  const hits = new NewestHits(request.limit, after)
  using opener = new BodyOpener()
  for await (const header of recentHeaders(context.reader, request, after)) {
    if (matcher.headerCount(header) === 0) continue
    // Segments come by their latest time: no line of those that follow is later than that.
    if (hits.completeAt(header.maxAt)) break
    if (performance.now() >= stopAt && header.maxAt < (after?.[0] ?? Number.POSITIVE_INFINITY)) {
      const { entries } = hits.best(header.maxAt)
      return { entries, cursor: formatCursor([header.maxAt, '', 0]) }
    }
    const segment = await openSegment(context.reader, header, opener)
    if (!segment) return undefined
    for (const line of matcher.lines(segment).reverse()) {
      const place: Place = [segment.time(line), header.taskId, header.firstSeq + line]
      hits.add(place, () => segment.entry(line, header.taskId, header.firstSeq))
    }
    await context.turn()
  }
  const { entries, last } = hits.best()
  return { entries, cursor: last ? formatCursor(last) : null }
}

const FIRST_HEADERS = 32
const MOST_HEADERS = 512

async function* recentHeaders(
  reader: SegmentReader,
  { filter, taskIds }: SearchRequest,
  after: Place | undefined,
): AsyncGenerator<SegmentHeader, void, undefined> {
  const tasks = taskIds && new Set(taskIds)
  const from = Number.isFinite(filter.from) ? filter.from : undefined
  const latest = Math.min(filter.to, after ? after[0] + 1 : Number.POSITIVE_INFINITY)
  const to = Number.isFinite(latest) ? latest : undefined
  let cursor: { maxAt: number; taskId: string; firstSeq: number } | undefined
  for (let limit = FIRST_HEADERS; ; limit = Math.min(limit * 4, MOST_HEADERS)) {
    const headers = await reader.recent({ from, to, cursor, limit })
    for (const header of headers) if (!tasks || tasks.has(header.taskId)) yield header
    if (headers.length < limit) return
    const last = headers.at(-1)
    cursor = last && { maxAt: last.maxAt, taskId: last.taskId, firstSeq: last.firstSeq }
  }
}

async function openSegment(
  reader: SegmentReader,
  header: SegmentHeader,
  opener: BodyOpener,
): Promise<Segment | undefined> {
  const [stored] = await reader.bodies(header.taskId, [header.firstSeq])
  const segment = stored && opener.open(stored, header)
  return segment?.count === header.count ? segment : undefined
}
