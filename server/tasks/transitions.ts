import { KerutaError } from '#protocol/errors.ts'
import type { FailTask, StatusChange, SuccessTask, Task, TaskStatus } from '#protocol/task.ts'
import { beganWithLines } from './new-task.ts'

export type Transition = 'start' | 'success' | 'fail' | 'cancel' | 'retry'

/** The states that each transition may leave. */
export const LEAVES: Record<Transition, readonly TaskStatus[]> = {
  start: ['PENDING'],
  success: ['PROCESSING'],
  fail: ['PROCESSING'],
  cancel: ['PENDING', 'PROCESSING'],
  retry: ['FAILED', 'CANCELLED'],
}

/** Changes of state that a task remembers; the oldest are forgotten first. */
const MAX_HISTORY = 100

/** Who changes a task, when (ms), and what they say. */
export interface Change {
  by: string
  at: number
  message?: string | null
}

export function startPatch(
  task: Task,
  change: Change,
  run: {
    agentId?: string
    interactive?: boolean
    name?: string
    script?: string | null
    sessionId?: string | null
  },
): Partial<Task> {
  const at = iso(change.at)
  const startsLife = beganWithLines(task)
  return {
    ...entered(task, 'PROCESSING', change),
    ...(startsLife && at < task.createdAt ? { createdAt: at } : {}),
    startedAt: at,
    agentId: run.agentId ?? null,
    interactive: run.interactive ?? false,
    progress: 0,
    progressMessage: null,
    name: startsLife && run.name !== undefined ? run.name : task.name,
    script: task.script ?? run.script ?? null,
    sessionId: task.sessionId ?? run.sessionId ?? null,
  }
}

export function successPatch(task: Task, change: Change, end: SuccessTask): Partial<Task> {
  return {
    ...finished(task, 'COMPLETED', change),
    progress: 100,
    exitCode: end.exitCode ?? null,
    resources: end.resources ?? null,
  }
}

export function failPatch(task: Task, change: Change, end: FailTask): Partial<Task> {
  return {
    ...finished(task, 'FAILED', change),
    errorCode: end.errorCode ?? null,
    exitCode: end.exitCode ?? null,
    signal: end.signal ?? null,
    resources: end.resources ?? null,
  }
}

export function cancelPatch(task: Task, change: Change): Partial<Task> {
  return finished(task, 'CANCELLED', change)
}

/** Back to the queue: what the last run left is cleared, the history stays. */
export function retryPatch(task: Task, change: Change): Partial<Task> {
  return {
    ...entered(task, 'PENDING', change),
    attempt: task.attempt + 1,
    progress: 0,
    progressMessage: null,
    message: null,
    errorCode: null,
    exitCode: null,
    signal: null,
    agentId: null,
    interactive: false,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    resources: null,
    steps: [],
    metrics: [],
  }
}

/**
 * The instant that a late report names, kept between what the server knows: not before `earliest`, not after now. A clock that
 * runs wrong in a workspace must not keep a task from starting or ending, so it is corrected rather than refused.
 */
export function reportedAt(at: string | undefined, now: number, earliest: string | null): number {
  if (at === undefined) return now
  return Math.min(now, Math.max(Date.parse(at), earliest === null ? 0 : Date.parse(earliest)))
}

export function illegalTransition(task: Task, transition: Transition): KerutaError {
  const legal = (Object.keys(LEAVES) as Transition[]).filter(name => LEAVES[name].includes(task.status))
  const next = legal.length > 0 ? `legal now: ${legal.join(', ')}` : 'nothing can change it any more'
  const runner = task.status === 'PROCESSING' && task.agentId ? ` by agent ${task.agentId}` : ''
  return new KerutaError(
    'ILLEGAL_TRANSITION',
    `task ${task.id} is ${task.status}${runner}; ${transition} needs ${LEAVES[transition].join(' or ')} (${next})`,
  )
}

function finished(task: Task, status: TaskStatus, change: Change): Partial<Task> {
  const durationMs = task.startedAt === null ? null : Math.max(0, change.at - Date.parse(task.startedAt))
  return {
    ...entered(task, status, change),
    finishedAt: iso(change.at),
    durationMs,
    message: change.message ?? null,
  }
}

function entered(task: Task, status: TaskStatus, change: Change): Partial<Task> {
  const entry: StatusChange = { status, at: iso(change.at), by: change.by, message: change.message ?? null }
  const statusHistory = [...task.statusHistory, entry].slice(-MAX_HISTORY)
  return { status, statusHistory, waitingForInput: null }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
