import type { Task } from '#protocol/task.ts'
import type { Collection, Store } from '#server/store/store.ts'

/** The order in which a session's tasks are taken. */
export const QUEUE: ['priority' | 'createdAt', 'asc' | 'desc'][] = [
  ['priority', 'desc'],
  ['createdAt', 'asc'],
]

const WAITING = { status: 'PENDING' as const, script: { not: null } }

/** The next task that an agent can take. One without a script is somebody's who runs it himself, or waits to be given one. */
export async function firstOfQueue(tasks: Collection<Task>, sessionId: string): Promise<Task | undefined> {
  const [first] = await tasks.find({ where: { ...WAITING, sessionId }, orderBy: QUEUE, limit: 1 })
  return first
}

/** How many tasks wait in sessions of each status; only those of ACTIVE ones are given out. */
export async function queueDepth({ tasks, sessions }: Pick<Store, 'tasks' | 'sessions'>) {
  const bySession = await tasks.countBy('sessionId', { ...WAITING, sessionId: { not: null } })
  const found = await sessions.find({ where: { id: { in: Object.keys(bySession) } } })
  const depth = { ACTIVE: 0, COMPLETED: 0, ARCHIVED: 0 }
  for (const { id, status } of found) depth[status] += bySession[id] ?? 0
  return depth
}
