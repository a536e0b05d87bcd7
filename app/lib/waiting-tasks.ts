import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Page } from '#protocol/page.ts'
import type { ServerToClientEvents } from '#protocol/socket.ts'
import type { TaskRow } from '#protocol/task.ts'
import { get } from './api.ts'
import { liveSocket } from './socket.ts'

type TaskChange = Parameters<ServerToClientEvents['task']>[0]

const KEY = ['waiting-tasks'] as const
/** More than anybody can answer. */
const MOST = 1000

/** Running tasks whose scripts wait for input, up to date by the changes that the frame of all pages is subscribed to; undefined until they are known. */
export function useWaitingTasks(): readonly TaskRow[] | undefined {
  const client = useQueryClient()
  const waiting = useQuery({ queryKey: KEY, queryFn: ({ signal }) => readWaiting(signal), staleTime: 60_000 })
  useEffect(() => {
    const socket = liveSocket()
    const onTask = (change: TaskChange) =>
      client.setQueryData<TaskRow[]>(KEY, before => before && withChange(before, change))
    const readAgain = () => void client.invalidateQueries({ queryKey: KEY })
    socket.on('task', onTask)
    socket.on('connect', readAgain)
    socket.on('missed', readAgain)
    return () => {
      socket.off('task', onTask)
      socket.off('connect', readAgain)
      socket.off('missed', readAgain)
    }
  }, [client])
  return waiting.data
}

/** Calls `began` for each task that begins to wait, or asks anew, while the page is open, and `ended` for each that does no more. */
export function useWaitingChanges(
  waiting: readonly TaskRow[] | undefined,
  began: (task: TaskRow) => void,
  ended: (taskId: string) => void,
): void {
  const known = useRef<Map<string, string>>(undefined)
  useEffect(() => {
    if (!waiting) return
    const before = known.current
    const now = new Map(waiting.map(task => [task.id, task.waitingForInput?.since ?? '']))
    known.current = now
    if (!before) return
    for (const task of waiting) if (before.get(task.id) !== now.get(task.id)) began(task)
    for (const id of before.keys()) if (!now.has(id)) ended(id)
  }, [waiting, began, ended])
}

export const isWaiting = (task: Pick<TaskRow, 'status' | 'waitingForInput'>): boolean =>
  task.status === 'PROCESSING' && task.waitingForInput !== null

async function readWaiting(signal: AbortSignal): Promise<TaskRow[]> {
  const found = await get<Page<TaskRow>>(
    '/tasks',
    { status: 'PROCESSING', waiting: 'true', size: MOST },
    signal,
  )
  return found.content
}

function withChange(waiting: TaskRow[], change: TaskChange): TaskRow[] {
  const id = 'deleted' in change ? change.taskId : change.task.id
  const task = 'deleted' in change || !isWaiting(change.task) ? undefined : change.task
  if (!task && !waiting.some(one => one.id === id)) return waiting
  return [...waiting.filter(one => one.id !== id), ...(task ? [task] : [])]
}
