import type { TaskMetric, TaskStep } from '#protocol/task.ts'
import type { Observations } from '#protocol/task-calls.ts'
import { MAX_OBSERVATIONS } from '#protocol/task-facts.ts'
import type { MarkEvents } from '../capture/marks.ts'

/** What gathers within this time is told together. */
const GATHER_MS = 300
const LONGEST_RETRY_MS = 30_000
const LAST_RETRY_MS = 200

export interface ObserverOptions {
  /** Whether the server knows the task. */
  ready(): boolean
  /** Tells the server. @throws where it could not be told */
  tell(observed: Observations): Promise<void>
  /** Whether telling it again will not help. */
  isRefusal(error: unknown): boolean
  /** An entry for the log. @param level position in LEVELS */
  say(level: number, message: string): void
}

/** A run's steps and metrics on their way to the server, in bounds: as many as it keeps. */
export class Observer implements MarkEvents {
  readonly #options: ObserverOptions
  readonly #steps = new Map<string, TaskStep>()
  #metrics: TaskMetric[] = []
  #named: { name: string; startedAt: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #telling = Promise.resolve()
  #ended = false
  #retryMs = GATHER_MS
  #dropped = 0
  #refusedOnce = false

  constructor(options: ObserverOptions) {
    this.#options = options
  }

  stepBegan(name: string, at: number): void {
    this.#step({ name, startedAt: iso(at), durationMs: null, status: 'RUNNING' })
  }

  stepEnded(name: string, startedAt: number, at: number, status: 'COMPLETED' | 'FAILED' = 'COMPLETED'): void {
    this.#step({ name, startedAt: iso(startedAt), durationMs: Math.max(0, at - startedAt), status })
  }

  /** An entry was given this step by name: it goes on until another is named. */
  stepNamed(name: string, at: number): void {
    if (this.#named?.name === name) return
    if (this.#named) this.stepEnded(this.#named.name, this.#named.startedAt, at)
    this.#named = { name, startedAt: at }
    this.stepBegan(name, at)
  }

  metric(name: string, value: number, at: number): void {
    this.#metrics.push({ name, value, at: iso(at) })
    if (this.#metrics.length > MAX_OBSERVATIONS) {
      this.#metrics.shift()
      this.#dropped++
    }
    this.#gather()
  }

  refused(line: string, why: string): void {
    if (this.#refusedOnce) return
    this.#refusedOnce = true
    this.#options.say(
      2,
      `"${line.slice(0, 80)}" was not taken as a metric: ${why} (others like it are not mentioned)`,
    )
  }

  /**
   * The run has ended.
   * @param open steps that it ended within
   * @param waitMs how long to try
   * @returns what could not be told
   */
  async end(
    open: { name: string; startedAt: number }[],
    failed: boolean,
    at: number,
    waitMs: number,
  ): Promise<Observations | undefined> {
    const steps = this.#named ? [this.#named, ...open] : open
    for (const { name, startedAt } of steps)
      this.stepEnded(name, startedAt, at, failed ? 'FAILED' : 'COMPLETED')
    if (this.#dropped > 0)
      this.#options.say(
        2,
        `${this.#dropped} metrics were lost: more came than could be kept until they were told`,
      )
    this.#ended = true
    clearTimeout(this.#timer)
    const late = new Promise(resolve => setTimeout(resolve, waitMs).unref())
    await Promise.race([this.#tellAll(performance.now() + waitMs), late])
    return this.#waiting()
  }

  async #tellAll(until: number): Promise<void> {
    for (;;) {
      await this.#tell()
      const again = this.#waiting() !== undefined && this.#options.ready()
      if (!again || performance.now() + LAST_RETRY_MS > until) return
      await new Promise(resolve => setTimeout(resolve, LAST_RETRY_MS))
    }
  }

  #step(step: TaskStep): void {
    this.#steps.set(`${step.startedAt} ${step.name}`, step)
    const [oldest] = this.#steps.keys()
    if (this.#steps.size > MAX_OBSERVATIONS) this.#steps.delete(oldest!)
    this.#gather()
  }

  #gather(): void {
    if (!this.#ended) this.#timer ??= setTimeout(() => void this.#tell(), this.#retryMs).unref()
  }

  #waiting(): Observations | undefined {
    if (this.#steps.size + this.#metrics.length === 0) return undefined
    return { steps: [...this.#steps.values()], metrics: [...this.#metrics] }
  }

  /** Tells what waits, one call at a time. */
  #tell(): Promise<void> {
    this.#telling = this.#telling.then(() => this.#tellNow())
    return this.#telling
  }

  async #tellNow(): Promise<void> {
    this.#timer = undefined
    const observed = this.#waiting()
    if (observed === undefined) return
    let failed = !this.#options.ready()
    try {
      if (!failed) await this.#options.tell(observed)
    } catch (error) {
      failed = !this.#options.isRefusal(error)
      if (!failed) this.#options.say(2, `the server refused steps and metrics: ${(error as Error).message}`)
    }
    this.#retryMs = failed ? Math.min(LONGEST_RETRY_MS, this.#retryMs * 2) : GATHER_MS
    if (!failed) this.#forget(observed)
    if (this.#waiting()) this.#gather()
  }

  #forget({ steps, metrics }: Observations): void {
    for (const step of steps) {
      const key = `${step.startedAt} ${step.name}`
      if (this.#steps.get(key) === step) this.#steps.delete(key)
    }
    const told = new Set(metrics)
    this.#metrics = this.#metrics.filter(metric => !told.has(metric))
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
