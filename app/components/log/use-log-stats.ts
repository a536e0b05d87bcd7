import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { LogStats } from '#protocol/log-answers.ts'
import { get, segment } from '../../lib/api.ts'
import { filterParams, type LogQuery } from '../../lib/log-url.ts'

const REFRESH_MS = 2000
const REFRESH_SEARCH_MS = 5000

interface LogExtent {
  /** First and last seq that are stored. */
  readonly firstSeq: number
  readonly lastSeq: number
  readonly growing: boolean
}

/** Counts by level and over time of what the filter shows, whatever its levels: the level toggles say what each would show. */
export function useLogStats(taskId: string, query: LogQuery, { firstSeq, lastSeq, growing }: LogExtent) {
  const params = filterParams({ ...query, level: [] })
  const stats = useQuery({
    queryKey: ['stats', taskId, params],
    queryFn: ({ signal }) =>
      get<LogStats>(`/tasks/${segment(taskId)}/logs/stats`, { ...params, interval: 'auto' }, signal),
    placeholderData: keepPreviousData,
    enabled: lastSeq > 0,
    refetchInterval: growing ? (query.search ? REFRESH_SEARCH_MS : REFRESH_MS) : false,
  })
  const { refetch } = stats
  useEffect(() => {
    if (!growing && lastSeq > 0) void refetch()
  }, [growing, lastSeq, refetch])
  useEffect(() => {
    if (firstSeq > 1) void refetch()
  }, [firstSeq, refetch])
  return stats
}
