import type { LogState } from '#protocol/log.ts'
import { LEVELS } from '#protocol/log.ts'
import type { LogCounts, Task, TaskView } from '#protocol/task.ts'
import type { SegmentReader, TaskHead, TaskTotals } from '#server/store/store.ts'

export type TaskViewer = (tasks: Task[]) => Promise<TaskView[]>

/** Shows tasks with the counts and the state of their logs. */
export function createTaskViewer(
  segments: Pick<SegmentReader, 'totals' | 'head'>,
  logState: (task: Task, head: TaskHead) => LogState,
): TaskViewer {
  return async tasks => {
    const totals = await segments.totals(tasks.map(task => task.id))
    return Promise.all(
      tasks.map(async task => {
        const head = await segments.head(task.id)
        return {
          ...task,
          logs: countsOf(totals.get(task.id), head.lastSeq),
          logState: logState(task, head),
        }
      }),
    )
  }
}

function countsOf(totals: TaskTotals | undefined, lastSeq: number): LogCounts {
  const of = (level: (typeof LEVELS)[number]) =>
    [0, 5, 10].reduce((sum, source) => sum + (totals?.counts[source + LEVELS.indexOf(level)] ?? 0), 0)
  return {
    total: totals?.lines ?? 0,
    byLevel: {
      DEBUG: of('DEBUG'),
      INFO: of('INFO'),
      WARN: of('WARN'),
      ERROR: of('ERROR'),
      CRITICAL: of('CRITICAL'),
    },
    lastSeq,
    bytes: totals?.textBytes ?? 0,
  }
}
