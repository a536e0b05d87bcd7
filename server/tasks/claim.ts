import { KerutaError } from '#protocol/errors.ts'
import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import type { Claim } from '#protocol/task-calls.ts'
import type { Store } from '#server/store/store.ts'
import type { TaskChanges } from './changes.ts'
import { firstOfQueue } from './queue.ts'
import { backPatch, isLostBy, leaseFrom, releasePatch, SERVER, startPatch } from './transitions.ts'

export interface ClaimDeps {
  changes: TaskChanges
  store: Pick<Store, 'tasks' | 'sessions'>
  clock: () => number
}

/** Gives an agent the first task that waits in a session. Whoever loses a race for one takes the next. */
export function createClaim({ changes, store, clock }: ClaimDeps) {
  async function next(sessionId: string, input: Claim, by: string): Promise<Task | undefined> {
    for (;;) {
      const first = await firstOfQueue(store.tasks, sessionId)
      if (!first) return undefined
      const now = clock()
      const run = { ...input, leaseUntil: leaseFrom(now) }
      // Also where the task was changed while it was being read.
      const waits = { status: 'PENDING' as const }
      const taken = await changes.write(first, startPatch(first, { by, at: now }, run), waits)
      if (taken) return taken
    }
  }

  /** What this run has already, the earliest first: the answer that gave it was lost. */
  async function had(sessionId: string, agentId: string): Promise<Task[]> {
    const where = { agentId, sessionId, status: { in: ['PROCESSING', 'FAILED'] } }
    const found = await store.tasks.find({ where, orderBy: [['startedAt', 'asc']] })
    return found.filter(task => task.status === 'PROCESSING' || isLostBy(task, agentId))
  }

  /** @returns undefined where somebody else changed it at that moment */
  async function goesOn(task: Task, by: string): Promise<Task | undefined> {
    const now = clock()
    const leaseUntil = leaseFrom(now)
    const runs = task.status === 'PROCESSING'
    return changes.write(task, runs ? { leaseUntil } : backPatch(task, { by, at: now }, leaseUntil))
  }

  /** Two calls of one run at once may have taken a task each: it keeps the first. */
  async function one(taken: Task, sessionId: string, agentId: string): Promise<Task> {
    const all = await had(sessionId, agentId)
    const [first = taken, ...others] = all.filter(({ status }) => status === 'PROCESSING')
    const message = 'claimed twice by one run: given back'
    for (const task of others)
      await changes.write(task, releasePatch(task, { by: SERVER, at: clock(), message }))
    return first
  }

  return async (
    sessionId: string,
    input: Claim,
    by: { name: string },
  ): Promise<{ task: Task; session: Session } | undefined> => {
    const { agentId } = input
    for (;;) {
      const [session, [mine]] = await Promise.all([store.sessions.get(sessionId), had(sessionId, agentId)])
      if (!session) throw new KerutaError('NOT_FOUND', `there is no session ${sessionId}`)
      if (mine) {
        const task = await goesOn(mine, by.name)
        if (task) return { task, session }
        continue
      }
      if (session.status !== 'ACTIVE')
        throw new KerutaError(
          'CONFLICT',
          `session ${sessionId} is ${session.status}: its tasks are not given out`,
        )
      const taken = await next(sessionId, input, by.name)
      return taken && { task: await one(taken, sessionId, agentId), session }
    }
  }
}
