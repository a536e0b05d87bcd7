import type { LogFilter } from '#protocol/log-filter.ts'
import type { LogQueries } from './queries.ts'

/** The last messages of a log that match, at most `count`, in their order. */
export async function lastLines(
  queries: Pick<LogQueries, 'slice'>,
  taskId: string,
  filter: LogFilter,
  count: number,
): Promise<string[]> {
  const lines: string[] = []
  let before: number | undefined
  for (;;) {
    const range = { before, limit: count - lines.length, order: 'desc' as const }
    const { entries, done, cursor } = await queries.slice(taskId, filter, range)
    lines.push(...entries.map(({ message }) => message))
    if (done || lines.length >= count) return lines.reverse()
    before = cursor
  }
}
