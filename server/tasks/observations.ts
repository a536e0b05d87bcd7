import { MAX_OBSERVATIONS, type Task, type TaskMetric, type TaskStep } from '#protocol/task.ts'
import type { Observations, Observed } from '#protocol/task-calls.ts'
import { closed, type Ended } from './steps.ts'
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
        `a task keeps ${MAX_OBSERVATIONS} steps and metrics: from here on those of earlier attempts are forgotten, then the oldest metrics`,
      )
    return { steps: steps.length, metrics: metrics.length, forgotten }
  }
}

type Merged = Pick<Task, 'attempt' | 'status' | 'finishedAt' | 'steps' | 'metrics'>

/**
 * What is said twice counts once, and each list is in the order of time. A step that has ended goes on no more, and one of a run that is
 * over ends with it; that it has ended otherwise may be said later. Pure.
 */
export function mergeObservations(task: Merged, observed: Observations) {
  const steps = new Map(task.steps.map(step => [keyOf(step, task.attempt), step]))
  const metrics = new Map(task.metrics.map(metric => [JSON.stringify(metric), metric]))
  const attemptOf = (told: { attempt?: number }) => Math.min(told.attempt ?? task.attempt, task.attempt)
  let changed = false
  for (const told of observed.steps) {
    const attempt = attemptOf(told)
    const { name, startedAt, durationMs, status } = told
    const step: TaskStep = { name, attempt, startedAt: utc(startedAt), durationMs, status }
    const key = keyOf(step, attempt)
    const before = steps.get(key)
    if (before && (status === 'RUNNING' || JSON.stringify(before) === JSON.stringify(step))) continue
    const end = endOf(attempt, task)
    steps.set(key, end ? closed(step, end) : step)
    changed = true
  }
  for (const told of observed.metrics) {
    const metric: TaskMetric = {
      name: told.name,
      attempt: attemptOf(told),
      value: told.value,
      at: utc(told.at),
    }
    const json = JSON.stringify(metric)
    if (metrics.has(json)) continue
    metrics.set(json, metric)
    changed = true
  }
  return { ...fitted(task.attempt, [...steps.values()], [...metrics.values()]), changed }
}

/** How the run of an attempt has ended; undefined where it may go on. When an earlier one did is not known here. */
function endOf(attempt: number, task: Merged): Ended | undefined {
  if (attempt < task.attempt) return { at: 0, well: false }
  if (task.finishedAt === null) return undefined
  return { at: Date.parse(task.finishedAt), well: task.status === 'COMPLETED' }
}

/** As many as are kept: of the present attempt before others, steps before metrics, late before early. */
function fitted(attempt: number, steps: TaskStep[], metrics: TaskMetric[]) {
  const all = [
    ...steps.map(step => ({ kind: 'step' as const, value: step, at: step.startedAt })),
    ...metrics.map(metric => ({ kind: 'metric' as const, value: metric, at: metric.at })),
  ]
  const of = ({ value }: (typeof all)[number]) => value.attempt ?? attempt
  const kept = all
    .sort((a, b) => of(a) - of(b) || order(a.kind, b.kind) || order(a.at, b.at))
    .slice(-MAX_OBSERVATIONS)
  return {
    steps: kept.flatMap(each => (each.kind === 'step' ? each.value : [])),
    metrics: kept.flatMap(each => (each.kind === 'metric' ? each.value : [])),
    forgotten: all.length - kept.length,
  }
}

function keyOf({ name, startedAt, attempt }: TaskStep, present: number): string {
  return `${attempt ?? present} ${startedAt} ${name}`
}

/** So that times compare as text. */
function utc(instant: string): string {
  return new Date(instant).toISOString()
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
