import { attemptOf } from '#protocol/observed.ts'
import type { Task, TaskStep } from '#protocol/task.ts'

/** How a run ended: when (ms), and whether well. */
export interface Ended {
  at: number
  well: boolean
}

/** The step as the run's end leaves it. Pure, as all here. */
export function closed(step: TaskStep, { at, well }: Ended): TaskStep {
  if (step.status !== 'RUNNING') return step
  const durationMs = Math.max(0, at - Date.parse(step.startedAt))
  return { ...step, durationMs, status: well ? 'COMPLETED' : 'FAILED' }
}

/** What the end of the present attempt changes: no step goes on after it. */
export function endSteps(task: Task, end: Ended): Partial<Task> {
  const goesOn = (step: TaskStep) => step.status === 'RUNNING'
  return task.steps.some(goesOn) ? { steps: task.steps.map(step => closed(step, end)) } : {}
}

/** What changes where the end was presumed only: the steps that it ended go on. */
export function reopenSteps(task: Task): Partial<Task> {
  const end = Date.parse(task.finishedAt ?? '')
  return {
    steps: task.steps.map(step =>
      attemptOf(step, task) === task.attempt &&
      step.status === 'FAILED' &&
      Date.parse(step.startedAt) + (step.durationMs ?? 0) >= end
        ? { ...step, durationMs: null, status: 'RUNNING' }
        : step,
    ),
  }
}

/** What the present attempt has observed, named as its own, now that another one follows. */
export function keepObserved(task: Task): Pick<Task, 'steps' | 'metrics'> {
  return {
    steps: task.steps.map(step => ({ ...step, attempt: attemptOf(step, task) })),
    metrics: task.metrics.map(metric => ({ ...metric, attempt: attemptOf(metric, task) })),
  }
}

/** What is left where the present attempt begins anew. */
export function forgetObserved(task: Task): Pick<Task, 'steps' | 'metrics'> {
  const isEarlier = (observed: { attempt?: number }) => attemptOf(observed, task) !== task.attempt
  return { steps: task.steps.filter(isEarlier), metrics: task.metrics.filter(isEarlier) }
}
