import type { ServerFrame } from '#protocol/frames.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Principal } from '#server/auth/principal.ts'
import { taskSeenBy } from '#server/auth/sight.ts'
import type { TaskEvent } from './hub.ts'

/** A task's change as this reader is told. */
export function taskFrame(
  { kind, task }: Extract<TaskEvent, { task: TaskView }>,
  principal: Principal,
): ServerFrame {
  if (kind === 'status') return { type: 'status', taskId: task.id, task: taskSeenBy(principal, task) }
  return { type: 'progress', taskId: task.id, progress: task.progress, message: task.progressMessage }
}
