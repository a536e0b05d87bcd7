import { KerutaError } from '#protocol/errors.ts'
import type { Task } from '#protocol/task.ts'
import { LEASE_SECONDS } from '#protocol/task-calls.ts'
import type { Store } from '#server/store/store.ts'
import type { TaskChanges } from './changes.ts'
import { backPatch, isLostBy, leaseFrom, SERVER } from './transitions.ts'

export interface LeasesDeps {
  changes: Pick<TaskChanges, 'get' | 'write'>
  store: Pick<Store, 'tasks'>
  clock: () => number
}

export interface Leases {
  /**
   * The agent says that its run lives. A run that was taken for lost, and given to nobody since, goes on. ILLEGAL_TRANSITION where
   * the run is not the agent's any more: it must end its script.
   */
  heartbeat(id: string, agentId: string): Promise<Task>
}

/** A lease that was renewed this lately is left alone: agents may say as often as they like that they live. */
export const FRESH_MS = 9000

export function createLeases({ changes, store, clock }: LeasesDeps): Leases {
  return {
    async heartbeat(id, agentId) {
      for (;;) {
        const task = await changes.get(id)
        const now = clock()
        if (isLostBy(task, agentId)) {
          const back = { by: `agent:${agentId}`, at: now }
          const updated = await changes.write(task, backPatch(task, back, leaseFrom(now)))
          if (updated) return updated
          continue
        }
        if (isOver(task, agentId)) throw runIsOver(task, agentId)
        if (task.status !== 'PROCESSING' || task.leaseUntil === null || isFresh(task.leaseUntil, now))
          return task
        const leaseUntil = leaseFrom(now)
        // Not a version of the task: nothing that anybody is shown has changed.
        const same = { id, status: task.status, attempt: task.attempt, agentId }
        if ((await store.tasks.update(same, { leaseUntil })) > 0) return { ...task, leaseUntil }
      }
    },
  }
}

/** Whether the run has ended without the agent's doing. One whose start is still on its way has not. */
function isOver({ status, agentId, statusHistory }: Task, asking: string): boolean {
  if (status === 'PENDING')
    return statusHistory.some(({ status, by }) => status === 'PROCESSING' && by === `agent:${asking}`)
  if (agentId !== asking || status === 'CANCELLED') return true
  return status === 'FAILED' && statusHistory.at(-1)?.by === SERVER
}

function runIsOver(task: Task, asking: string): KerutaError {
  const { id, status, agentId, message } = task
  const state = agentId !== null && agentId !== asking ? `${status} by agent ${agentId}` : status
  const why = status !== 'PENDING' && message ? ` (${message})` : ''
  return new KerutaError(
    'ILLEGAL_TRANSITION',
    `task ${id} is ${state}${why}: it is not run by agent ${asking} any more, who must end its script`,
  )
}

function isFresh(leaseUntil: string, now: number): boolean {
  const since = now - (Date.parse(leaseUntil) - LEASE_SECONDS * 1000)
  return since >= 0 && since < FRESH_MS
}
