import type { FailTask, StartedTask, StartTask, SuccessTask } from '#protocol/task.ts'
import type { Target } from '../capture/target.ts'
import type { Context } from '../context.ts'
import { ApiError } from '../delivery/api.ts'
import type { LogStream } from '../delivery/log-stream.ts'
import { CommandError, EXIT } from '../exit.ts'

type Finish = { success: SuccessTask } | { fail: FailTask }

/** How long the script waits for the server's word at its start. */
const START_WAIT_MS = 2000
const START_RETRY_MS = 2000
/** How long the task's end waits for its last lines to be stored, so that who sees the end sees them too. */
const LINES_FIRST_MS = 2000

/** Tells the server of a task's start and end, and notes in the spool what could not be told. */
export class Reporter {
  readonly #context: Context
  readonly #taskId: string
  readonly #agentId: string
  #token: string | undefined
  #startTold = false
  #starting: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(context: Context, taskId: string, agentId: string) {
    this.#context = context
    this.#taskId = taskId
    this.#agentId = agentId
  }

  /** Whether the server has answered. */
  get reached(): boolean {
    return this.#startTold
  }

  /** The task's own token once the server gave one, else the agent's. */
  get token(): string | undefined {
    return this.#token ?? this.#context.config.token
  }

  /**
   * Returns when the server has answered, or cannot be reached now: then it is told in the background.
   * @throws CommandError where the server says that this task may not be started
   */
  async start(target: Target, stream: LogStream | undefined): Promise<void> {
    const body: StartTask = {
      agentId: this.#agentId,
      name: target.name,
      script: target.script,
      sessionId: this.#context.config.sessionId,
    }
    stream?.note({ runs: true, start: { ...body, at: new Date().toISOString() } })
    const first = this.#tellStart(body, stream)
    const waited = await Promise.race([first, delay(START_WAIT_MS)])
    if (waited instanceof ApiError && waited.status === 409) {
      stream?.close(true)
      throw new CommandError(EXIT.failure, `task ${this.#taskId} cannot be started: ${waited.message}`)
    }
    if (!this.#startTold) this.#starting = this.#keepTelling(first, body, stream)
  }

  /** Tells the end, after the lines where the server takes them, and leaves to the spool what cannot be told in time. */
  async finish(finish: Finish, stream: LogStream | undefined, drainMs: number): Promise<void> {
    stream?.note({ finish })
    const lines = stream ? stream.end(drainMs) : Promise.resolve(true)
    await Promise.race([lines, delay(LINES_FIRST_MS)])
    const told = await this.#tellFinish(finish, stream, drainMs)
    const stored = await lines
    this.#stopped = true
    if (!stored || !told) this.#sayWhatIsLeft(stream, stored)
    stream?.close(stored && told)
  }

  async #tellStart(body: StartTask, stream: LogStream | undefined): Promise<undefined | Error> {
    try {
      const api = await this.#context.api()
      const { token } = await api.post<StartedTask>(
        `/tasks/${encodeURIComponent(this.#taskId)}/start`,
        body,
        { idempotent: true, retries: 0 },
      )
      this.#token = token
      this.#startTold = true
      stream?.note({ start: undefined })
      return undefined
    } catch (error) {
      return error as Error
    }
  }

  async #keepTelling(
    first: Promise<Error | undefined>,
    body: StartTask,
    stream: LogStream | undefined,
  ): Promise<void> {
    let error = await first
    const body2 = { ...body, at: new Date().toISOString() }
    let said = false
    while (error && !this.#stopped) {
      const refused = error instanceof ApiError && error.status < 500 && error.status !== 429
      if (!said)
        this.#context.say(
          refused
            ? `the start of the task was refused: ${error.message}`
            : `${error.message} The script runs all the same.`,
        )
      said = true
      if (refused) return
      await delay(START_RETRY_MS)
      if (!this.#stopped) error = await this.#tellStart(body2, stream)
    }
  }

  async #tellFinish(finish: Finish, stream: LogStream | undefined, drainMs: number): Promise<boolean> {
    if (!this.#startTold) await Promise.race([this.#starting, delay(Math.min(drainMs, START_RETRY_MS))])
    if (!this.#startTold && stream) return false
    const [verb, end] = 'success' in finish ? ['success', finish.success] : ['fail', finish.fail]
    const body = { ...end, agentId: this.#agentId }
    const deadline = performance.now() + drainMs
    for (;;) {
      try {
        const api = await this.#context.api()
        await api.post(`/tasks/${encodeURIComponent(this.#taskId)}/${verb}`, body, {
          idempotent: true,
          retries: 0,
        })
        stream?.note({ finish: undefined })
        return true
      } catch (error) {
        // The script itself has reported its end, or an operator has cancelled it: that stands.
        if (error instanceof ApiError && error.status === 409) return true
        this.#context.explain((error as Error).message)
        const refused = error instanceof ApiError && error.status < 500 && error.status !== 429
        if (refused || performance.now() + 500 > deadline) return false
        await delay(500)
      }
    }
  }

  #sayWhatIsLeft(stream: LogStream | undefined, stored: boolean): void {
    const what = stream && !stored ? `${stream.missing} lines and the end` : 'the end'
    const fate = stream ? stream.fate : 'not known to the server'
    this.#context.warn(`${what} of task ${this.#taskId} could not be delivered in time: ${fate}`)
  }
}

function delay(ms: number): Promise<undefined> {
  return new Promise(resolve => setTimeout(resolve, ms, undefined))
}
