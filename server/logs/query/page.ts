import type { LogEntry } from '#protocol/log.ts'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import type { SegmentHeader, TaskTotals } from '#server/store/store.ts'
import { entriesOf, entriesWithin, linesOf } from './entries.ts'
import { segmentMatcher } from './match-segment.ts'
import { type QueryContext, scan } from './scan.ts'

export interface PageRequest {
  taskId: string
  filter: CompiledFilter
  page: number
  size: number
  order: 'asc' | 'desc'
}
export interface PageAnswer {
  entries: LogEntry[]
  total: number
}

/** Page `page` of the matching entries, and how many match in all. */
export async function readPage(context: QueryContext, request: PageRequest): Promise<PageAnswer> {
  if (request.filter.matchesAll) {
    const totals = (await context.reader.totals([request.taskId])).get(request.taskId)
    if (!totals || totals.lines === 0) return { entries: [], total: 0 }
    if (totals.lastSeq - totals.firstSeq + 1 === totals.lines) return pageByPosition(context, request, totals)
  }
  return pageByCounting(context, request)
}

/** In a log without holes a page's place follows from its number. */
async function pageByPosition(
  context: QueryContext,
  { taskId, filter, page, size, order }: PageRequest,
  { firstSeq, lastSeq, lines }: TaskTotals,
): Promise<PageAnswer> {
  const skipped = page * size
  if (skipped >= lines) return { entries: [], total: lines }
  const range =
    order === 'asc'
      ? { after: firstSeq + skipped - 1, before: Math.min(firstSeq + skipped + size, lastSeq + 1), order }
      : { after: Math.max(lastSeq - skipped - size, firstSeq - 1), before: lastSeq - skipped + 1, order }
  return { entries: await entriesWithin(context, taskId, filter, range), total: lines }
}

async function pageByCounting(
  context: QueryContext,
  { taskId, filter, page, size, order }: PageRequest,
): Promise<PageAnswer> {
  const matcher = segmentMatcher(filter)
  const start = page * size
  const entries: LogEntry[] = []
  let total = 0
  const undecided = (header: SegmentHeader) => matcher.headerCount(header) === undefined
  for await (const piece of scan(context, taskId, { order }, undecided)) {
    const lines = piece.segment && linesOf(piece, matcher, order)
    const count = lines?.length ?? matcher.headerCount(piece.header) ?? 0
    const from = Math.max(0, start - total)
    const to = Math.min(count, start + size - total)
    total += count
    if (from >= to) continue
    if (lines) entries.push(...entriesOf(piece, taskId, lines.slice(from, to)))
    else {
      const { firstSeq } = piece.header
      const range = { after: firstSeq - 1, before: firstSeq + piece.header.count, order }
      entries.push(...(await entriesWithin(context, taskId, filter, range)).slice(from, to))
    }
  }
  return { entries, total }
}
