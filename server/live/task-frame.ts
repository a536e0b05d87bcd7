import type { ServerFrame } from '#protocol/frames.ts'
import type { TaskView } from '#protocol/task.ts'
import type { TaskEvent } from './hub.ts'

/** A task's change as its readers are told. */
export function taskFrame({ kind, task }: Extract<TaskEvent, { task: TaskView }>): ServerFrame {
  if (kind === 'status') return { type: 'status', taskId: task.id, task }
  return { type: 'progress', taskId: task.id, progress: task.progress, message: task.progressMessage }
}
