import { KerutaError } from '#protocol/errors.ts'
import type { StatusChange, Task, TaskStatus } from '#protocol/task.ts'
import { type FailTask, LEASE_SECONDS, type SuccessTask } from '#protocol/task-calls.ts'
import { beganWithLines } from './new-task.ts'
import { endSteps, forgetObserved, keepObserved, reopenSteps } from './steps.ts'

export type Transition = 'start' | 'success' | 'fail' | 'cancel' | 'retry' | 'release'

/** The states that each transition may leave. */
export const LEAVES: Record<Transition, readonly TaskStatus[]> = {
  start: ['PENDING'],
  success: ['PROCESSING'],
  fail: ['PROCESSING'],
  cancel: ['PENDING', 'PROCESSING'],
  retry: ['FAILED', 'CANCELLED'],
  release: ['PROCESSING'],
}

/** Who did it, where the server did. */
export const SERVER = 'server'

/** A failure that is presumed only: the agent fell silent. */
export const AGENT_LOST = 'AGENT_LOST'

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
    /** Default: nobody promises to say that the run lives. */
    leaseUntil?: string | null
    name?: string
    script?: string | null
    sessionId?: string | null
  },
): Partial<Task> {
  const at = iso(change.at)
  const startsLife = beganWithLines(task)
  const ownScript = task.script === null && typeof run.script === 'string'
  return {
    ...entered(task, 'PROCESSING', change, { ownScript }),
    ...(startsLife && at < task.createdAt ? { createdAt: at } : {}),
    startedAt: at,
    agentId: run.agentId ?? null,
    interactive: run.interactive ?? false,
    leaseUntil: run.leaseUntil ?? null,
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
    errorCode: null,
    exitCode: end.exitCode ?? null,
    signal: null,
    resources: end.resources ?? null,
  }
}

/** FAILED; or PENDING again where attempts are left, the failure in the history. */
export function failPatch(task: Task, change: Change, end: FailTask): Partial<Task> {
  const reasons = {
    errorCode: end.errorCode ?? null,
    exitCode: end.exitCode ?? null,
    signal: end.signal ?? null,
  }
  const failed = {
    ...finished(task, 'FAILED', change, reasons),
    ...reasons,
    resources: end.resources ?? null,
  }
  if (task.attempt >= task.maxAttempts) return failed
  const message = `attempt ${task.attempt} of ${task.maxAttempts} failed: the next one waits`
  return { ...failed, ...retryPatch({ ...task, ...failed }, { by: SERVER, at: change.at, message }) }
}

/** The agent fell silent. What it takes input for is kept, because it may come back. */
export function lostPatch(task: Task, change: Change): Partial<Task> {
  const failed = failPatch(task, change, { errorCode: AGENT_LOST })
  return failed.status === 'FAILED' ? { ...failed, interactive: task.interactive } : failed
}

/** Whether the task was taken from this agent because it fell silent, and has not been given to anybody since. */
export function isLostBy(task: Task, agentId: string | undefined): boolean {
  return (
    agentId !== undefined &&
    task.agentId === agentId &&
    task.status === 'FAILED' &&
    task.errorCode === AGENT_LOST &&
    // Where another agent found it dead, it cannot come back.
    task.statusHistory.at(-1)?.by === SERVER
  )
}

/** The agent that was lost is there again, and its run goes on. */
export function backPatch(task: Task, change: Change, leaseUntil: string | null): Partial<Task> {
  const message = change.message ?? 'the agent is there again'
  return {
    ...entered(task, 'PROCESSING', { ...change, message }, { ownScript: hasOwnScript(task) }),
    ...reopenSteps(task),
    leaseUntil,
    message: null,
    errorCode: null,
    finishedAt: null,
    durationMs: null,
  }
}

export function cancelPatch(task: Task, change: Change): Partial<Task> {
  return finished(task, 'CANCELLED', change)
}

/** As somebody asks for it who may queue scripts: what the last run brought is run again. */
export function askedRetryPatch(task: Task, change: Change): Partial<Task> {
  return { ...retryPatch(task, change), script: task.script }
}

/** Back to the queue as the next attempt. */
export function retryPatch(task: Task, change: Change): Partial<Task> {
  const attempt = task.attempt + 1
  const maxAttempts = Math.max(task.maxAttempts, attempt)
  return { ...releasePatch(task, change), ...keepObserved(task), attempt, maxAttempts }
}

/** Back to the queue: what the last run left is cleared, the history stays. */
export function releasePatch(task: Task, change: Change): Partial<Task> {
  return {
    ...entered(task, 'PENDING', change),
    // Agents may run scripts of their own, and not have others run them.
    script: hasOwnScript(task) ? null : task.script,
    progress: 0,
    progressMessage: null,
    message: null,
    errorCode: null,
    exitCode: null,
    signal: null,
    agentId: null,
    leaseUntil: null,
    interactive: false,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    resources: null,
    ...forgetObserved(task),
  }
}

/** Until when an agent may be silent that has been heard now (ms). */
export function leaseFrom(now: number): string {
  return iso(now + LEASE_SECONDS * 1000)
}

/**
 * The instant that a late report names, kept between what the server knows: not before `earliest`, not after now. A clock that
 * runs wrong in a workspace must not keep a task from starting or ending, so it is corrected rather than refused.
 */
export function reportedAt(at: string | undefined, now: number, earliest: string | null): number {
  if (at === undefined) return now
  return Math.min(now, Math.max(Date.parse(at), earliest === null ? 0 : Date.parse(earliest)))
}

/** @param asking whose run it should be */
export function illegalTransition(task: Task, transition: Transition, asking?: string): KerutaError {
  const legal = (Object.keys(LEAVES) as Transition[]).filter(name => LEAVES[name].includes(task.status))
  const next = legal.length > 0 ? `legal now: ${legal.join(', ')}` : 'nothing can change it any more'
  const runner = task.status === 'PROCESSING' && task.agentId ? ` by agent ${task.agentId}` : ''
  if (runner && asking !== undefined && task.agentId !== asking)
    return new KerutaError(
      'ILLEGAL_TRANSITION',
      `task ${task.id} is run${runner} now: ${transition} by agent ${asking}, whose run is over, changes nothing`,
    )
  return new KerutaError(
    'ILLEGAL_TRANSITION',
    `task ${task.id} is ${task.status}${runner}; ${transition} needs ${LEAVES[transition].join(' or ')} (${next})`,
  )
}

/** Whether the agent brought what it runs, in its last run. */
function hasOwnScript({ statusHistory }: Task): boolean {
  const start = statusHistory.findLast(({ status }) => status === 'PROCESSING')
  return start?.ownScript === true
}

/** Why a run failed. */
type Reasons = Pick<StatusChange, 'errorCode' | 'exitCode' | 'signal'>

function finished(task: Task, status: TaskStatus, change: Change, reasons?: Reasons): Partial<Task> {
  const durationMs = task.startedAt === null ? null : Math.max(0, change.at - Date.parse(task.startedAt))
  return {
    ...entered(task, status, change, reasons),
    ...endSteps(task, { at: change.at, well: status === 'COMPLETED' }),
    finishedAt: iso(change.at),
    durationMs,
    message: change.message ?? null,
    leaseUntil: null,
    interactive: false,
  }
}

function entered(
  task: Task,
  status: TaskStatus,
  change: Change,
  more?: Reasons & { ownScript?: boolean },
): Partial<Task> {
  const { by, at, message = null } = change
  const { ownScript, ...reasons } = more ?? {}
  const entry: StatusChange = {
    status,
    at: iso(at),
    by,
    message,
    ...reasons,
    ...(ownScript && { ownScript }),
  }
  const statusHistory = [...task.statusHistory, entry].slice(-MAX_HISTORY)
  return { status, statusHistory, waitingForInput: null }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
