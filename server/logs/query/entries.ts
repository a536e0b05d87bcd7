import type { LogEntry } from '#protocol/log.ts'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import { type SegmentMatcher, segmentMatcher } from './match-segment.ts'
import { type Piece, type QueryContext, type ScanRange, scan } from './scan.ts'

/** The matching lines of a piece, in the scan's order; the piece must have been opened unless nothing of it can match. */
export function linesOf(piece: Piece, matcher: SegmentMatcher, order: 'asc' | 'desc'): number[] {
  if (!piece.segment) return []
  const lines = matcher.lines(piece.segment, piece.from, piece.to)
  return order === 'asc' ? lines : lines.reverse()
}

/** Matching lines of a piece as entries, in the order given. */
export function entriesOf(piece: Piece, taskId: string, lines: number[]): LogEntry[] {
  const { segment, header } = piece
  return segment ? lines.map(line => segment.entry(line, taskId, header.firstSeq)) : []
}

/** All matching entries of a range; for ranges that are known to be short. */
export async function entriesWithin(
  context: QueryContext,
  taskId: string,
  filter: CompiledFilter,
  range: ScanRange,
): Promise<LogEntry[]> {
  const matcher = segmentMatcher(filter)
  const entries: LogEntry[] = []
  for await (const piece of scan(context, taskId, range, header => matcher.headerCount(header) !== 0))
    entries.push(...entriesOf(piece, taskId, linesOf(piece, matcher, range.order)))
  return entries
}
