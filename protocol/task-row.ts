import type { TaskRow, TaskView } from './task.ts'

/** The task as lists show it. Pure. */
export function rowOf({ script: _, env: __, steps: ___, metrics: ____, ...task }: TaskView): TaskRow {
  return { ...task, statusHistory: task.statusHistory.slice(-1) }
}
