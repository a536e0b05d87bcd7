import type { TaskStatus, TaskView } from '#protocol/task.ts'
import type { StartedTask, StartTask } from '#protocol/task-calls.ts'
import { type Context, openApi } from '../context.ts'
import { ApiError } from '../delivery/api.ts'
import type { LogStream } from '../delivery/log-stream.ts'
import type { Finish } from '../delivery/meta.ts'
import { CommandError, EXIT } from '../exit.ts'

/** How long the script waits for the server's word at its start. */
const START_WAIT_MS = 2000
const RETRY_MS = 2000
/** How long the task's end waits for its last lines to be stored, so that who sees the end sees them too. */
const LINES_FIRST_MS = 2000

export interface ReporterOptions {
  taskId: string
  agentId: string
  /** The task as the server gave it where this run was claimed: its start need not be told. */
  claimed: StartedTask | undefined
  /** False: lines are not sent, and their stream says nothing of the run. */
  streaming: boolean
  /** The task is not this run's, says the server. */
  onLost(message: string): void
}

/** Tells the server of a task's start and end, and notes in the spool what could not be told. */
export class Reporter {
  readonly #context: Context
  readonly #options: ReporterOptions
  #task: StartedTask | undefined
  #starting: Promise<void> = Promise.resolve()
  #stopped = false
  /** What the server has made of the run's end. */
  endedAs: TaskStatus | undefined

  constructor(context: Context, options: ReporterOptions) {
    this.#context = context
    this.#options = options
    this.#task = options.claimed
  }

  /** The task as the server knew it at the start; nothing until it has answered. */
  get task(): TaskView | undefined {
    return this.#task
  }

  /** The task's own token once the server gave one, else the agent's. */
  get token(): string | undefined {
    return this.#task?.token ?? this.#context.config.token
  }

  /**
   * Returns when the server has answered, or cannot be reached now: then it is told in the background.
   * @throws CommandError where the server says that this task may not be started
   */
  async start(start: StartTask, stream: LogStream): Promise<void> {
    if (this.#task) return stream.note({ runs: true })
    stream.note({ runs: true, start: { ...start, at: new Date().toISOString() } })
    const first = this.#tellStart(start, stream)
    const waited = await Promise.race([first, delay(START_WAIT_MS)])
    if (waited instanceof ApiError && waited.status === 409) {
      stream.close(true)
      throw new CommandError(
        EXIT.failure,
        `task ${this.#options.taskId} cannot be started: ${waited.message}`,
      )
    }
    if (!this.#task) this.#starting = this.#keepTelling(first, start, stream)
  }

  /**
   * Tells the end, after the lines where the server takes them, and leaves to the spool what cannot be told in time.
   * @param hurry leaves it to the spool at once
   * @returns whether the server has it all
   */
  async finish(finish: Finish, stream: LogStream, drainMs: number, hurry: AbortSignal): Promise<boolean> {
    stream.note({ finish })
    const { promise: hurried, resolve } = Promise.withResolvers<false>()
    const leave = () => resolve(false)
    if (hurry.aborted) leave()
    hurry.addEventListener('abort', leave)
    const lines = this.#options.streaming ? stream.end(drainMs) : Promise.resolve(true)
    await Promise.race([lines, delay(LINES_FIRST_MS), hurried])
    const told = await Promise.race([this.#tellFinish(finish, stream, drainMs), hurried])
    const stored = await Promise.race([lines, hurried])
    hurry.removeEventListener('abort', leave)
    this.#stopped = true
    if (!stored || !told) this.#sayWhatIsLeft(stream, stored)
    else this.#context.explain(`the server has ${stream.outbox.n} lines and the end: ${this.endedAs}`)
    stream.close(stored && told)
    return stored && told
  }

  async #tellStart(start: StartTask, stream: LogStream): Promise<undefined | Error> {
    try {
      const api = await this.#context.api()
      this.#task = await api.post<StartedTask>(this.#path('start'), start, { idempotent: true, retries: 0 })
      stream.note({ start: undefined })
      const { taskId } = this.#options
      this.#context.explain(
        `the run is at ${this.#context.config.apiUrl}/tasks/${encodeURIComponent(taskId)}`,
      )
      return undefined
    } catch (error) {
      return error as Error
    }
  }

  async #keepTelling(first: Promise<Error | undefined>, start: StartTask, stream: LogStream): Promise<void> {
    let error = await first
    const late = { ...start, at: new Date().toISOString() }
    let said = false
    while (error && !this.#stopped) {
      const refused = isRefusal(error) ? error : undefined
      if (!said)
        this.#context.say(
          refused
            ? `the start of the task was refused: ${error.message}`
            : `${error.message} The script runs all the same.`,
        )
      said = true
      if (refused?.status === 409) this.#options.onLost(refused.message)
      if (refused) return
      await delay(RETRY_MS)
      if (!this.#stopped) error = await this.#tellStart(late, stream)
    }
  }

  async #tellFinish(finish: Finish, stream: LogStream, drainMs: number): Promise<boolean> {
    if (!this.#task) await Promise.race([this.#starting, delay(Math.min(drainMs, RETRY_MS))])
    if (!this.#task) return false
    const [verb, end] = Object.entries(finish)[0]!
    const body = { ...end, agentId: this.#options.agentId }
    const deadline = performance.now() + drainMs
    for (;;) {
      try {
        this.endedAs = (await this.#tell(verb, body)).status
        stream.note({ finish: undefined })
        return true
      } catch (error) {
        // The script itself has reported its end, or an operator has cancelled it: that stands.
        if (error instanceof ApiError && error.status === 409) {
          this.endedAs = await this.#standing()
          return true
        }
        this.#context.explain((error as Error).message)
        if (isRefusal(error) || this.#stopped || performance.now() + 500 > deadline) return false
        await delay(500)
      }
    }
  }

  /** Where the agent's own token has been revoked in mid-run, the one for this task alone still speaks for it. */
  async #tell(verb: string, body: unknown): Promise<TaskView> {
    const call = { idempotent: true, retries: 0 }
    try {
      return await (await this.#context.api()).post<TaskView>(this.#path(verb), body, call)
    } catch (error) {
      const isRevoked = error instanceof ApiError && (error.status === 401 || error.status === 403)
      if (!isRevoked || !this.#task) throw error
      const api = await openApi({ ...this.#context.config, token: this.#task.token })
      return await api.post<TaskView>(this.#path(verb), body, call)
    }
  }

  /** Nothing where the server does not say. */
  async #standing(): Promise<TaskStatus | undefined> {
    try {
      const api = await this.#context.api()
      const path = `/tasks/${encodeURIComponent(this.#options.taskId)}`
      return (await api.get<TaskView>(path, { retries: 0 })).status
    } catch {
      return undefined
    }
  }

  #sayWhatIsLeft(stream: LogStream, stored: boolean): void {
    const what = stored ? 'the end' : `${stream.missing} lines and the end`
    this.#context.warn(
      `${what} of task ${this.#options.taskId} could not be delivered in time: ${stream.fate}`,
    )
  }

  #path(verb: string): string {
    return `/tasks/${encodeURIComponent(this.#options.taskId)}/${verb}`
  }
}

/** An answer that another attempt would not change. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status < 500 && error.status !== 429
}

function delay(ms: number): Promise<undefined> {
  return new Promise(resolve => setTimeout(resolve, ms, undefined))
}
