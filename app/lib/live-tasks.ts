import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { SessionView } from '#protocol/session.ts'
import type { ServerToClientEvents } from '#protocol/socket.ts'
import type { TaskRow, TaskView } from '#protocol/task.ts'
import { keys, type TaskList } from './queries.ts'
import { liveSocket } from './socket.ts'
import { isWaiting } from './waiting-tasks.ts'

type TaskChange = Parameters<ServerToClientEvents['task']>[0]
type ServingChange = Parameters<ServerToClientEvents['serving']>[0]
type StatsChange = Parameters<ServerToClientEvents['stats']>[0]

const REFETCH_MS = 1000

/**
 * Keeps every task list of the console, and the counts of a session, up to date: known rows at once, new and gone ones by asking again,
 * at most once a second. To be used once, by the frame of all pages.
 */
export function useLiveTaskLists(): void {
  const client = useQueryClient()
  useEffect(() => {
    const socket = liveSocket()
    let timer: ReturnType<typeof setTimeout> | undefined
    const refetch = () => {
      timer ??= setTimeout(() => {
        timer = undefined
        void client.invalidateQueries({ queryKey: keys.taskLists })
        void client.invalidateQueries({ queryKey: keys.sessionViews })
      }, REFETCH_MS)
    }
    const join = () => {
      socket.emit('subscribe', { channel: 'tasks' })
      refetch()
      // What could not be loaded while the connection was lost.
      void client.refetchQueries({ type: 'active', predicate: query => query.state.status === 'error' })
    }
    const onTask = (change: TaskChange) => {
      if ('deleted' in change) return refetch()
      const before = listed(client, change.task.id)
      updateTask(client, change.task.id, () => change.task)
      if (!before || isElsewhere(before, change.task)) refetch()
    }
    const onStats = ({ taskId, logs, logState }: StatsChange) =>
      updateTask(client, taskId, task => ({ ...task, logs, logState }))
    const onServing = ({ sessionId, serving }: ServingChange) =>
      client.setQueryData<SessionView>(keys.session(sessionId), session => session && { ...session, serving })
    socket.on('connect', join)
    socket.on('task', onTask)
    socket.on('stats', onStats)
    socket.on('serving', onServing)
    socket.on('missed', refetch)
    if (socket.connected) socket.emit('subscribe', { channel: 'tasks' })
    return () => {
      clearTimeout(timer)
      socket.off('connect', join)
      socket.off('task', onTask)
      socket.off('stats', onStats)
      socket.off('serving', onServing)
      socket.off('missed', refetch)
      if (socket.connected) socket.emit('unsubscribe', { channel: 'tasks' })
    }
  }, [client])
}

/** Keeps one task up to date, and says when it is deleted, and when it is there again. The subscription is the log view's, which also watches the task itself. */
export function useLiveTask(taskId: string, onDeleted: (deleted: boolean) => void): void {
  const client = useQueryClient()
  useEffect(() => {
    const socket = liveSocket()
    const onTask = (change: TaskChange) => {
      if ('deleted' in change) {
        if (change.taskId === taskId) onDeleted(true)
      } else if (change.task.id === taskId) {
        onDeleted(false)
        // Not subscribed yet: the row of a list says that there is more to be read.
        if (isWhole(change.task)) client.setQueryData(keys.task(taskId), change.task)
        else void client.invalidateQueries({ queryKey: keys.task(taskId) })
      }
    }
    const onStats = ({ taskId: id, logs, logState }: StatsChange) => {
      if (id !== taskId) return
      client.setQueryData<TaskView>(keys.task(id), task => task && { ...task, logs, logState })
    }
    const readArtifacts = () => void client.invalidateQueries({ queryKey: keys.artifacts(taskId) })
    const onArtifacts = (change: { taskId: string }) => {
      if (change.taskId === taskId) readArtifacts()
    }
    const onConnect = () => {
      void client.invalidateQueries({ queryKey: keys.task(taskId) })
      readArtifacts()
    }
    socket.on('task', onTask)
    socket.on('stats', onStats)
    socket.on('artifacts', onArtifacts)
    socket.on('connect', onConnect)
    return () => {
      socket.off('task', onTask)
      socket.off('stats', onStats)
      socket.off('artifacts', onArtifacts)
      socket.off('connect', onConnect)
    }
  }, [client, taskId, onDeleted])
}

/** Whether a task may now belong elsewhere in a filtered or sorted list. */
const isElsewhere = (before: TaskRow, after: TaskRow): boolean =>
  before.status !== after.status ||
  before.name !== after.name ||
  before.priority !== after.priority ||
  isWaiting(before) !== isWaiting(after)

const isWhole = (task: TaskView | TaskRow): task is TaskView => 'steps' in task

function listed(client: QueryClient, id: string): TaskRow | undefined {
  return client
    .getQueriesData<TaskList>({ queryKey: keys.taskLists })
    .flatMap(([, list]) => list?.content ?? [])
    .find(task => task.id === id)
}

function updateTask(client: QueryClient, id: string, change: (task: TaskRow) => TaskRow): void {
  client.setQueriesData<TaskList>(
    { queryKey: keys.taskLists },
    list => list && { ...list, content: list.content.map(task => (task.id === id ? change(task) : task)) },
  )
}
