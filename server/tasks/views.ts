import type { LogState } from '#protocol/log.ts'
import { LEVELS } from '#protocol/log.ts'
import type { LogCounts, Task, TaskView } from '#protocol/task.ts'
import type { SegmentReader, TaskHead, TaskTotals } from '#server/store/store.ts'

type Shown = Pick<TaskView, 'logs' | 'logState'>

/** Shows tasks with the counts and the state of their logs. */
export function createTaskViewer(
  segments: Pick<SegmentReader, 'totals' | 'heads'>,
  logState: (task: Pick<Task, 'id' | 'status'>, head: TaskHead) => LogState,
) {
  return async <T extends Pick<Task, 'id' | 'status'>>(tasks: T[]): Promise<(T & Shown)[]> => {
    const ids = tasks.map(({ id }) => id)
    const [totals, heads] = await Promise.all([segments.totals(ids), segments.heads(ids)])
    return tasks.map(task => {
      const head = heads.get(task.id)!
      return { ...task, logs: countsOf(totals.get(task.id), head.lastSeq), logState: logState(task, head) }
    })
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
