import type { LogEntry } from '#protocol/log.ts'
import type { LogSlice } from '#protocol/log-answers.ts'
import { get, segment } from './api.ts'
import { filterParams, type LogQuery } from './log-url.ts'
import type { Slice } from './log-window.ts'

/** A slice with where the log stood when it was read. */
export interface ReadSlice extends Slice {
  /** Nothing that matches lies further in the direction of reading. */
  readonly done: boolean
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Reads a task's stored entries that match a query, in rising seq whichever way they are read. */
export interface LogSource {
  tail(limit: number): Promise<ReadSlice>
  before(seq: number, limit: number): Promise<ReadSlice>
  after(seq: number, limit: number): Promise<ReadSlice>
}

export function logSource(taskId: string, query: LogQuery): LogSource {
  const path = `/tasks/${segment(taskId)}/logs`
  const filter = filterParams(query)
  const read = (params: Record<string, string | number>) => get<LogSlice>(path, { ...filter, ...params })
  const backwards = async (limit: number, before?: number): Promise<ReadSlice> => {
    const slice = await read({ ...(before === undefined ? {} : { before }), limit, order: 'desc' })
    return {
      from: slice.done ? 1 : slice.cursor,
      to: before === undefined ? slice.lastSeq : Math.min(before - 1, slice.lastSeq),
      entries: slice.content.reverse(),
      ...positions(slice),
    }
  }
  return {
    tail: limit => backwards(limit),
    before: (seq, limit) => backwards(limit, seq),
    after: async (seq, limit) => {
      const slice = await read({ after: seq, limit, order: 'asc' })
      const to = slice.done ? slice.lastSeq : slice.cursor
      return { from: seq + 1, to, entries: slice.content, ...positions(slice) }
    },
  }
}

/** Whether an entry lies in the query's time range, which the live stream does not know. */
export function timeRangeOf(query: LogQuery): ((entry: LogEntry) => boolean) | undefined {
  if (!query.from && !query.to) return undefined
  const from = query.from ? Date.parse(query.from) : Number.NEGATIVE_INFINITY
  const to = query.to ? Date.parse(query.to) : Number.POSITIVE_INFINITY
  return entry => {
    const at = Date.parse(entry.timestamp)
    return from <= at && at < to
  }
}

const positions = ({ done, firstSeq, lastSeq }: LogSlice) => ({ done, firstSeq, lastSeq })
