import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import type { LogEntry } from '#protocol/log.ts'
import type { LogStats } from '#protocol/log-answers.ts'
import { get, segment } from '../../lib/api.ts'
import { logSource, type ReadSlice } from '../../lib/log-source.ts'
import { filterParams, type LogAddress, type LogQuery } from '../../lib/log-url.ts'

export type Direction = 'next' | 'previous'
export interface Found {
  /** How many lines match; undefined while that is counted, or nothing is looked for. */
  readonly total: number | undefined
  readonly error: Error | null
  /** The match that the reader is at, with its place among all from 1, once that is counted. */
  readonly current: { readonly seq: number; readonly rank?: number } | undefined
}
export interface Find {
  /** Stays the same object while nothing of it changes. */
  readonly found: Found
  /**
   * Goes to the match after the current one, around the end, and gives its seq. `start` says where to begin where there is no
   * current one yet. Steps that are asked for at once are taken one after the other.
   */
  step(direction: Direction, start: () => number): Promise<number | undefined>
}

interface Place {
  readonly id: string
  readonly seq: number
  readonly rank?: number
}

const REFRESH_MS = 5000

/** Looks for a text among all lines that the filter shows, on the server, however many there are. */
export function useFind(taskId: string, address: LogAddress, growing: boolean): Find {
  const query: LogQuery = { ...address, search: address.find }
  const active = address.find !== ''
  const id = JSON.stringify([taskId, filterParams(query)])
  const [place, setPlace] = useState<Place>()
  const latest = useRef<Place>(undefined)
  const steps = useRef<Promise<unknown>>(Promise.resolve())
  const current = active && place?.id === id ? place : undefined
  const stats = useQuery({
    queryKey: ['find', id],
    queryFn: ({ signal }) => countOf(taskId, query, signal),
    enabled: active,
    refetchInterval: growing ? REFRESH_MS : false,
  })
  const total = active ? stats.data : undefined
  const error = active ? stats.error : null
  return {
    found: useMemo(() => ({ total, error, current }), [total, error, current]),
    step(direction, start) {
      const go = (next: Place) => {
        latest.current = next
        setPlace(next)
      }
      const take = async () => {
        if (!active) return undefined
        const before = latest.current?.id === id ? latest.current : undefined
        const { entry, wrapped } = await neighbour(taskId, query, direction, before?.seq ?? start())
        if (!entry) return undefined
        const by = direction === 'next' ? 1 : -1
        const rank = before?.rank && !wrapped ? before.rank + by : undefined
        go({ id, seq: entry.seq, rank })
        if (rank === undefined) {
          void rankOf(taskId, query, entry).then(counted => {
            const now = latest.current
            if (now?.id === id && now.seq === entry.seq) go({ ...now, rank: counted })
          })
        }
        return entry.seq
      }
      const taken = steps.current.then(take)
      steps.current = taken.catch(() => undefined)
      return taken
    },
  }
}

async function countOf(taskId: string, query: LogQuery, signal?: AbortSignal): Promise<number> {
  const stats = await get<LogStats>(`/tasks/${segment(taskId)}/logs/stats`, filterParams(query), signal)
  return stats.totalLogs
}

async function neighbour(taskId: string, query: LogQuery, direction: Direction, from: number) {
  const source = logSource(taskId, query)
  const onward = direction === 'next' ? source.after : source.before
  const around = direction === 'next' ? () => source.after(0, 1) : () => source.tail(1)
  const near = await firstOf(await onward(from, 1), slice => next(slice, direction, onward))
  if (near) return { entry: near, wrapped: false }
  return { entry: await firstOf(await around(), slice => next(slice, direction, onward)), wrapped: true }
}

/** The first entry of a slice, or of those after it: a slice may end empty before everything has been looked at. */
async function firstOf(
  start: ReadSlice,
  goOn: (slice: ReadSlice) => Promise<ReadSlice>,
): Promise<LogEntry | undefined> {
  let slice = start
  while (slice.entries.length === 0 && !slice.done) slice = await goOn(slice)
  return slice.entries[0]
}

const next = (
  slice: ReadSlice,
  direction: Direction,
  read: (seq: number, limit: number) => Promise<ReadSlice>,
): Promise<ReadSlice> => read(direction === 'next' ? slice.to : slice.from, 1)

/** Matches up to this one: those of earlier times, and those of the same millisecond that stand before it. */
async function rankOf(taskId: string, query: LogQuery, entry: LogEntry): Promise<number> {
  const at = Date.parse(entry.timestamp)
  const instant = (ms: number) => new Date(ms).toISOString()
  const [earlier, same] = await Promise.all([
    countOf(taskId, { ...query, to: instant(at) }),
    logSource(taskId, { ...query, from: instant(at), to: instant(at + 1) }).before(entry.seq, 1000),
  ])
  return earlier + same.entries.length + 1
}
