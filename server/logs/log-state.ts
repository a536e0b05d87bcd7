import type { LogState } from '#protocol/log.ts'
import { type TaskStatus, TERMINAL_STATUSES } from '#protocol/task.ts'
import type { TaskHead } from '#server/store/store.ts'

/**
 * Whether a task's log is whole. `complete` is said only where it is known: the task is over, and every stream said how many lines it
 * had and all of them are stored. A task that no stream wrote to is complete when it is over. Pure.
 * @param hasLiveWriter whether a sender of one of its streams is connected
 */
export function logState(head: TaskHead, status: TaskStatus, hasLiveWriter: boolean): LogState {
  const streams = [...head.streams.values()]
  const unended = streams.filter(stream => stream.endN === undefined).length
  const missing = streams.reduce((sum, { n, endN = n }) => sum + Math.max(0, endN - n), 0)
  if (!TERMINAL_STATUSES.includes(status)) {
    const detail = status === 'PENDING' ? 'the task has not started' : 'the task is running'
    return { state: 'arriving', detail }
  }
  if (unended === 0 && missing === 0) {
    const detail = streams.length === 0 ? 'the task is over' : 'every line that was announced is stored'
    return { state: 'complete', detail }
  }
  if (hasLiveWriter) return { state: 'arriving', detail: 'the task is over, the last lines are on their way' }
  if (unended > 0) {
    const lost = 'the agent was lost before it said the end of the log'
    return { state: 'incomplete', detail: `${lost}: lines may be missing after the last one` }
  }
  const lines = missing === 1 ? '1 line that was announced is' : `${missing} lines that were announced are`
  return {
    state: 'incomplete',
    missing,
    detail: `${lines} not stored; the agent that holds them is not connected`,
  }
}
