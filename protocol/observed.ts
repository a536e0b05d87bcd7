import type { Task } from './task.ts'

type Observing = Pick<Task, 'attempt' | 'steps' | 'metrics'>

/** The steps and metrics of one attempt of a task. Pure, as all here. */
export function observedIn(task: Observing, attempt = task.attempt): Pick<Task, 'steps' | 'metrics'> {
  const isOf = (observed: { attempt?: number }) => attemptOf(observed, task) === attempt
  return { steps: task.steps.filter(isOf), metrics: task.metrics.filter(isOf) }
}

/** The attempts of which a task has steps or metrics, and the present one, rising. */
export function observedAttempts(task: Observing): number[] {
  const all = [...task.steps, ...task.metrics].map(each => attemptOf(each, task))
  return [...new Set([...all, task.attempt])].sort((a, b) => a - b)
}

/** Of which attempt a step or a metric is. */
export function attemptOf({ attempt }: { attempt?: number }, task: Pick<Task, 'attempt'>): number {
  return attempt ?? task.attempt
}
