import type { Task } from '#protocol/task.ts'
import type { Collection } from '#server/store/store.ts'

/** The order in which a session's tasks are taken. */
export const QUEUE: ['priority' | 'createdAt', 'asc' | 'desc'][] = [
  ['priority', 'desc'],
  ['createdAt', 'asc'],
]

/** The next task that an agent can take. One without a script is somebody's who runs it himself, or waits to be given one. */
export async function firstOfQueue(tasks: Collection<Task>, sessionId: string): Promise<Task | undefined> {
  const where = { sessionId, status: 'PENDING' as const, script: { not: null } }
  const [first] = await tasks.find({ where, orderBy: QUEUE, limit: 1 })
  return first
}
