import { constants } from 'node:os'
import type { TaskView } from '#protocol/task.ts'
import { TERMINAL_STATUSES } from '#protocol/task-facts.ts'
import type { Context } from '../context.ts'
import type { Api } from '../delivery/api.ts'
import { count, oneLine } from '../show/text.ts'
import { duration } from '../show/when.ts'

const LATE_LINES_MS = 1000

/** Keeps an eye on the task behind a log: whether it is over, with all lines that it will have, and whether its script waits for somebody. */
export class TaskWatch {
  /** Never where the task goes on. */
  readonly over: Promise<TaskView>
  readonly #look: () => Promise<TaskView>
  readonly #say: (message: string) => void
  readonly #resolve: (task: TaskView) => void
  #timer: NodeJS.Timeout | undefined
  #said = false
  /** Since when its script waits for what was told already. */
  #waitsSince: string | undefined

  constructor(context: Context, api: Api, taskPath: string) {
    this.#look = () => api.get<TaskView>(taskPath, { retries: 0 })
    this.#say = context.say
    const { promise, resolve } = Promise.withResolvers<TaskView>()
    this.over = promise
    this.#resolve = resolve
  }

  /** The task may have changed. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    // A task that is not known yet, or a server that is away for a moment: the next connection looks again.
    const task = await this.#look().catch(() => undefined)
    if (task) this.#tellWaiting(task)
    if (!task || !isOver(task)) return
    if (task.logState.state !== 'arriving') return this.#resolve(task)
    if (!this.#said) this.#say(`the task is ${task.status}; its last lines are on their way`)
    this.#said = true
    this.#timer = setTimeout(() => void this.look(), LATE_LINES_MS)
  }

  #tellWaiting({ id, waitingForInput: waiting }: TaskView): void {
    if (!waiting || waiting.since === this.#waitsSince) return
    this.#waitsSince = waiting.since
    const what = waiting.secret ? 'a secret' : 'input'
    const prompt = waiting.prompt ? `: ${oneLine(waiting.prompt)}` : ''
    this.#say(`the script waits for ${what}${prompt} (keruta input ${id})`)
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

export function isOver({ status }: TaskView): boolean {
  return TERMINAL_STATUSES.includes(status)
}

/** How a task ended, in one line. */
export function endOf({ id, status, message, errorCode, durationMs, logs }: TaskView): string {
  const took = durationMs === null ? '' : ` after ${duration(durationMs)}`
  const why = [message, errorCode && `(${errorCode})`].filter(Boolean).join(' ')
  return `task ${id} ${status}${took}, ${count(logs.total, 'line')}${why ? `: ${why}` : ''}`
}

/** The exit code of what a task has run: the script's own, 128 and the signal's number, or 1. */
export function exitCodeOf({ status, exitCode, signal }: TaskView): number {
  if (status === 'COMPLETED') return exitCode ?? 0
  if (exitCode) return exitCode
  const signals: Record<string, number> = constants.signals
  return signal && signals[signal] ? 128 + signals[signal] : 1
}
