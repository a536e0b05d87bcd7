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
  /** For live readers that catch up: what follows `after`, in rising seq, at most about 256 KiB. */
  read(taskId: string, filter: LogFilter, after: number): Promise<ReadAnswer>
  /**
   * @param intervalMs width of the histogram's buckets; 'auto' takes a round one that gives at most 120
   * @throws KerutaError BAD_REQUEST where that gives more than 10 000 buckets
   */
  stats(taskId: string, filter: LogFilter, intervalMs?: number | 'auto'): Promise<LogStats>
  /**
   * The matching entries as a file, streamed with back-pressure: those up to the log's end at the beginning. CSV has a header row, CRLF and
   * cells that a spreadsheet would run defused by a `'`; `txt` has the messages alone. A log that is deleted meanwhile ends the file as it
   * should end. Rejects where it fails at its beginning; later the stream breaks off.
   */
  export(taskId: string, filter: LogFilter, format: ExportFormat): Promise<ReadableStream<Uint8Array>>
  /**
   * Across tasks, newest first; lines of one time by task, then by falling seq. `taskIds` limits it to those. `cursor` null: that was all.
   * Fewer than `limit` entries, maybe none, with a cursor: the time ran out, ask again from there.
   * @throws KerutaError BAD_REQUEST for a cursor that was not answered before
   */
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
  /**
   * Nothing that matches lies further in this direction (as of `lastSeq`). False: there may be more, also with fewer than `limit`
   * entries, when a search took too long to go on without saying so.
   */
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
