import { KerutaError } from '#protocol/errors.ts'
import type { Task } from '#protocol/task.ts'
import { type Action, demand, type Principal } from '#server/auth/principal.ts'
import type { Tasks } from '#server/tasks/tasks.ts'

/** The task, if the caller may do this to it. Who is limited to some sessions does not learn which other tasks exist. */
export async function taskFor(
  tasks: Tasks,
  principal: Principal,
  action: Action,
  taskId: string,
): Promise<Task> {
  const task = await tasks.find(taskId)
  demand(principal, action, { taskId, sessionId: task?.sessionId ?? null })
  if (!task) throw new KerutaError('NOT_FOUND', `there is no task ${taskId}`)
  return task
}

/**
 * Checks that the caller may write to a task that may not exist yet.
 * @param sessionId the session that the caller names for it
 * @returns the session that it would be created in: the one named, or the only one that the caller has; none for a caller of one task
 */
export async function demandWrite(
  tasks: Tasks,
  principal: Principal,
  taskId: string,
  sessionId?: string | null,
): Promise<string | null> {
  if (principal.taskId === null && principal.sessionIds === null) {
    demand(principal, 'write', { taskId })
    return sessionId ?? null
  }
  const task = await tasks.find(taskId)
  const own = principal.sessionIds?.length === 1 ? principal.sessionIds[0]! : null
  // Who is limited to one task must not bring it into a queue, whose agents would run it.
  const asked = principal.taskId === null ? sessionId : null
  const target = task ? task.sessionId : (asked ?? own)
  demand(principal, 'write', { taskId, sessionId: target })
  return target
}
