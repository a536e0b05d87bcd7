import { type CompiledFilter, compileFilter } from '#protocol/log-filter.ts'
import type { StoreLocation } from '#server/store/open.ts'
import type { LogQueries } from './queries.ts'
import { exportStream } from './query/export-stream.ts'
import { Lane } from './query/lane.ts'
import { RegexLane } from './query/regex-lane.ts'

export interface QueryBudgets {
  /** CPU time that one step of a regular expression may take, ms. */
  regexBudgetMs?: number
  /** After this time a slice or a search answers what it has and where to go on, ms. */
  searchBudgetMs?: number
}

/**
 * Answers log queries from worker threads, each with a reader of its own. Pages and what else is short have a thread that is always
 * there, text searches and exports one that is started when needed, regular expressions a third.
 */
export function openLogQueries(
  location: StoreLocation,
  { regexBudgetMs = 5000, searchBudgetMs = 2000 }: QueryBudgets = {},
): LogQueries {
  const short = new Lane(location, { stays: true })
  const long = new Lane(location, { stays: false })
  const regex = new RegexLane(location, regexBudgetMs)
  const longFor = (filter: CompiledFilter) => (filter.regex ? regex : long)
  const laneFor = (filter: CompiledFilter) =>
    filter.pattern || filter.step !== undefined ? longFor(filter) : short
  return {
    page(taskId, logFilter, page, size, order) {
      const filter = compileFilter(logFilter)
      return laneFor(filter).ask('page', { taskId, filter, page, size, order })
    },
    slice(taskId, logFilter, range) {
      const filter = compileFilter(logFilter)
      return laneFor(filter).ask('slice', { taskId, filter, range, budgetMs: searchBudgetMs })
    },
    read(taskId, logFilter, after) {
      const filter = compileFilter(logFilter)
      return laneFor(filter).ask('read', { taskId, filter, after })
    },
    stats(taskId, logFilter, intervalMs) {
      const filter = compileFilter(logFilter)
      return laneFor(filter).ask('stats', { taskId, filter, intervalMs })
    },
    export(taskId, logFilter, format) {
      const filter = compileFilter(logFilter)
      return exportStream(from => longFor(filter).ask('export', { taskId, filter, format, from }))
    },
    search(logFilter, options) {
      const filter = compileFilter(logFilter)
      return longFor(filter).ask('search', { filter, ...options, budgetMs: searchBudgetMs })
    },
    async close() {
      await Promise.all([short.close(), long.close(), regex.close()])
    },
  }
}
