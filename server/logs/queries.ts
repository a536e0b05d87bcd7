import type { LogEntry } from '#protocol/log.ts'
import type { ExportFormat, LogStats } from '#protocol/log-answers.ts'
import type { LogFilter } from '#protocol/log-filter.ts'

/** What can be asked of stored logs. Answers come from worker threads; a search that exceeds its time budget rejects with QUERY_TIMEOUT. */
export interface LogQueries {
  /** Page `page` of the matching entries in rising seq, and how many match in all. */
  page(
    taskId: string,
    filter: LogFilter,
    page: number,
    size: number,
    order: 'asc' | 'desc',
  ): Promise<{ entries: LogEntry[]; total: number }>
  /** At most `limit` matching entries next to a seq; `desc` answers come newest first. */
  slice(taskId: string, filter: LogFilter, at: SliceRange): Promise<SliceAnswer>
  /** For live readers that catch up: what follows `after`, in rising seq, at most about 256 KiB of text. */
  read(taskId: string, filter: LogFilter, after: number): Promise<ReadAnswer>
  stats(taskId: string, filter: LogFilter, intervalMs?: number | 'auto'): Promise<LogStats>
  /** The matching entries as a file, streamed with back-pressure. */
  export(taskId: string, filter: LogFilter, format: ExportFormat): ReadableStream<Uint8Array>
  /** Across tasks, newest first. `taskIds` limits it to those. */
  search(
    filter: LogFilter,
    options: { limit: number; cursor?: string; taskIds?: string[] },
  ): Promise<{ entries: LogEntry[]; cursor: string | null }>
  close(): Promise<void>
}

export interface SliceRange {
  after?: number
  before?: number
  limit: number
  order: 'asc' | 'desc'
}

export interface SliceAnswer {
  entries: LogEntry[]
  /** Whether nothing that matches lies further in this direction (as of `lastSeq`). */
  done: boolean
  /** Entries up to here (asc) or down to here (desc) have been looked at: the next `after` or `before`. */
  cursor: number
  firstSeq: number
  lastSeq: number
}

export interface ReadAnswer {
  /** Unfiltered: segments with the seq of their first line, cut to begin after `after`. */
  segments?: { firstSeq: number; bytes: Uint8Array }[]
  /** Filtered: the matching entries. */
  entries?: LogEntry[]
  /** Everything up to here has been looked at. */
  cursor: number
  /** Head of the log when the answer was made; `cursor === lastSeq` means caught up. */
  lastSeq: number
}
