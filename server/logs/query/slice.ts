import type { CompiledFilter } from '#protocol/log-filter.ts'
import type { SliceAnswer, SliceRange } from '../queries.ts'
import { entriesOf, linesOf } from './entries.ts'
import { segmentMatcher } from './match-segment.ts'
import { type QueryContext, scan } from './scan.ts'

export interface SliceRequest {
  taskId: string
  filter: CompiledFilter
  range: SliceRange
  /** After so many ms what was found is answered, to be continued from `cursor`. */
  budgetMs: number
}

/** At most `limit` matching entries next to a seq. */
export async function readSlice(
  context: QueryContext,
  { taskId, filter, range, budgetMs }: SliceRequest,
): Promise<SliceAnswer> {
  const { limit, order } = range
  const stopAt = performance.now() + budgetMs
  const matcher = segmentMatcher(filter)
  const head = await context.reader.head(taskId)
  const totals = (await context.reader.totals([taskId])).get(taskId)
  const bounds = { after: range.after ?? 0, before: range.before ?? head.lastSeq + 1 }
  const answer: SliceAnswer = {
    entries: [],
    done: false,
    cursor: 0,
    firstSeq: totals?.firstSeq ?? 0,
    lastSeq: head.lastSeq,
  }
  /** Where nothing lies beyond. */
  const edge = order === 'asc' ? bounds.before - 1 : Math.max(bounds.after + 1, answer.firstSeq)
  for await (const piece of scan(
    context,
    taskId,
    { ...bounds, order },
    header => matcher.headerCount(header) !== 0,
  )) {
    const { firstSeq } = piece.header
    const lines = linesOf(piece, matcher, order)
    const taken = lines.slice(0, limit - answer.entries.length)
    answer.entries.push(...entriesOf(piece, taskId, taken))
    answer.cursor = firstSeq + (order === 'asc' ? piece.to - 1 : piece.from)
    if (answer.entries.length < limit && performance.now() < stopAt) continue
    if (answer.entries.length === limit) answer.cursor = firstSeq + taken.at(-1)!
    answer.done = order === 'asc' ? answer.cursor >= edge : answer.cursor <= edge
    return answer
  }
  answer.done = true
  answer.cursor = order === 'asc' ? Math.max(edge, bounds.after) : Math.min(edge, bounds.before)
  return answer
}
