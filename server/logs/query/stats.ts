import { LEVELS, SOURCES } from '#protocol/levels.ts'
import type { LogStats } from '#protocol/log-answers.ts'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import type { SegmentHeader } from '#server/store/store.ts'
import { linesOf } from './entries.ts'
import { autoInterval, Histogram } from './histogram.ts'
import { type SegmentMatcher, segmentMatcher, tagNumber } from './match-segment.ts'
import { type Piece, type QueryContext, scan } from './scan.ts'
import { TimeSpan } from './time-span.ts'

export interface StatsRequest {
  taskId: string
  filter: CompiledFilter
  /** Width of the histogram's buckets in ms; no histogram without it. */
  intervalMs?: number | 'auto'
}

/** Counts by level and source, and how the matching lines lie in time. */
export async function readStats(context: QueryContext, request: StatsRequest): Promise<LogStats> {
  const { taskId, filter } = request
  const matcher = segmentMatcher(filter)
  const histogram = await plannedHistogram(context, request, matcher)
  const counts = new Array<number>(15).fill(0)
  const span = new TimeSpan()
  const opens = (header: SegmentHeader) => {
    const count = matcher.headerCount(header)
    return count === undefined || (count > 0 && histogram?.holds(header.minAt, header.maxAt) === false)
  }
  for await (const piece of scan(context, taskId, { order: 'asc' }, opens)) {
    if (piece.segment) countLines(piece, matcher, counts, span, histogram)
    else if (matcher.headerCount(piece.header)) countHeader(piece.header, filter, counts, span, histogram)
  }
  for (let next = span.next(); next; next = span.next()) {
    const range = { after: next.firstSeq - 1, before: next.firstSeq + next.count, order: 'asc' as const }
    for await (const piece of scan(context, taskId, range, () => true)) countLines(piece, matcher, [], span)
  }
  return {
    taskId,
    totalLogs: sum(counts),
    byLevel: byLevel(counts),
    bySource: bySource(counts),
    firstTimestamp: instant(span.first),
    lastTimestamp: instant(span.last),
    ...(histogram && { histogram: shown(histogram) }),
  }
}

/** The automatic interval follows from the times of all segments that may match, so that it does not jump while a text is typed. */
async function plannedHistogram(
  context: QueryContext,
  { taskId, filter, intervalMs }: StatsRequest,
  matcher: SegmentMatcher,
): Promise<Histogram | undefined> {
  if (intervalMs !== 'auto') return intervalMs === undefined ? undefined : new Histogram(intervalMs)
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for await (const { header } of scan(context, taskId, { order: 'asc' }, () => false)) {
    if (matcher.headerCount(header) === 0) continue
    first = Math.min(first, Math.max(header.minAt, filter.from))
    last = Math.max(last, Math.min(header.maxAt, filter.to))
  }
  return new Histogram(first <= last ? autoInterval(first, last) : 1)
}

function countLines(
  piece: Piece,
  matcher: SegmentMatcher,
  counts: number[],
  span: TimeSpan,
  histogram?: Histogram,
): void {
  const { segment } = piece
  if (!segment) return
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  const lines = linesOf(piece, matcher, 'asc')
  for (const line of lines) {
    const at = segment.time(line)
    const tag = tagNumber(segment.tag(line))
    counts[tag]!++
    histogram?.add(at, tag, 1)
    if (at < first) first = at
    if (at > last) last = at
  }
  if (lines.length > 0) span.known(first, last)
}

function countHeader(
  header: SegmentHeader,
  filter: CompiledFilter,
  counts: number[],
  span: TimeSpan,
  histogram?: Histogram,
): void {
  let matching = 0
  for (let tag = 0; tag < 15; tag++) {
    const count = header.counts[tag]!
    if (count === 0 || !filter.tags[tag]) continue
    matching += count
    counts[tag]! += count
    histogram?.add(header.minAt, tag, count)
  }
  if (matching === header.count) span.known(header.minAt, header.maxAt)
  else span.somewhereIn(header)
}

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
const instant = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : null)

function byLevel(counts: number[]): LogStats['byLevel'] {
  const of = (level: number) => counts[level]! + counts[level + 5]! + counts[level + 10]!
  return Object.fromEntries(LEVELS.map((level, at) => [level, of(at)])) as LogStats['byLevel']
}

function bySource(counts: number[]): LogStats['bySource'] {
  const of = (source: number) => sum(counts.slice(source * 5, source * 5 + 5))
  return Object.fromEntries(SOURCES.map((source, at) => [source, of(at)])) as LogStats['bySource']
}

function shown(histogram: Histogram): LogStats['histogram'] {
  const buckets = histogram.buckets().map(([at, counts]) => ({
    at: new Date(at).toISOString(),
    total: sum(counts),
    byLevel: byLevel(counts),
  }))
  return { intervalMs: histogram.intervalMs, buckets }
}
