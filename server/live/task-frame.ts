import type { ServerFrame } from '#protocol/frames.ts'
import type { TaskEvent } from './hub.ts'

/** A task's change as its readers are told. */
export function taskFrame({ kind, task }: Exclude<TaskEvent, { kind: 'cancel' }>): ServerFrame {
  if (kind === 'status') return { type: 'status', taskId: task.id, task }
  return { type: 'progress', taskId: task.id, progress: task.progress, message: task.progressMessage }
}
