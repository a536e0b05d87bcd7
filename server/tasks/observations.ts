import {
  MAX_OBSERVATIONS,
  type Observations,
  type Observed,
  type Task,
  type TaskMetric,
  type TaskStep,
} from '#protocol/task.ts'
import type { Tasks } from './tasks.ts'

export interface ObserverDeps {
  tasks: Pick<Tasks, 'change'>
  /** Notes something in the task's log, once for each `key` however often it is said. */
  say(taskId: string, key: string, message: string): Promise<void>
}

export type Observe = (taskId: string, observed: Observations) => Promise<Observed>

/** Takes in steps and metrics, also of a run that is over: its agent may have been cut off. An unknown task is NOT_FOUND. */
export function createObserver({ tasks, say }: ObserverDeps): Observe {
  return async (taskId, observed) => {
    let forgotten = 0
    const { attempt, steps, metrics } = await tasks.change(taskId, task => {
      const merged = mergeObservations(task, observed)
      forgotten = merged.forgotten
      return merged.changed ? { steps: merged.steps, metrics: merged.metrics } : undefined
    })
    if (forgotten > 0)
      await say(
        taskId,
        `observations.${attempt}`,
        `a task keeps ${MAX_OBSERVATIONS} steps and metrics: from here on the oldest metrics are forgotten`,
      )
    return { steps: steps.length, metrics: metrics.length, forgotten }
  }
}

/** What is said twice counts once, a step that has ended stays ended, and each list is in the order of time. Pure. */
export function mergeObservations(task: Pick<Task, 'steps' | 'metrics'>, observed: Observations) {
  const steps = new Map(task.steps.map(step => [keyOf(step), step]))
  const metrics = new Map(task.metrics.map(metric => [JSON.stringify(metric), metric]))
  let changed = false
  for (const told of observed.steps) {
    const step = { ...told, startedAt: utc(told.startedAt) }
    const before = steps.get(keyOf(step))
    if (before && (before.status !== 'RUNNING' || JSON.stringify(before) === JSON.stringify(step))) continue
    steps.set(keyOf(step), step)
    changed = true
  }
  for (const { name, value, at } of observed.metrics) {
    const metric: TaskMetric = { name, value, at: utc(at) }
    const key = JSON.stringify(metric)
    if (metrics.has(key)) continue
    metrics.set(key, metric)
    changed = true
  }
  const keptSteps = [...steps.values()]
    .sort((a, b) => order(a.startedAt, b.startedAt))
    .slice(-MAX_OBSERVATIONS)
  const room = MAX_OBSERVATIONS - keptSteps.length
  const inOrder = [...metrics.values()].sort((a, b) => order(a.at, b.at))
  const keptMetrics = inOrder.slice(Math.max(0, inOrder.length - room))
  const forgotten = steps.size - keptSteps.length + metrics.size - keptMetrics.length
  return { steps: keptSteps, metrics: keptMetrics, forgotten, changed }
}

function keyOf({ name, startedAt }: TaskStep): string {
  return `${startedAt} ${name}`
}

/** So that times compare as text. */
function utc(instant: string): string {
  return new Date(instant).toISOString()
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
