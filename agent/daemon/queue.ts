import type { Me } from '#protocol/auth.ts'
import type { ClaimedTask, SessionView } from '#protocol/session.ts'
import type { Context } from '../context.ts'
import { ApiError } from '../delivery/api.ts'
import { CommandError, EXIT } from '../exit.ts'

/** What became of asking for a task. */
export type Answer =
  | { kind: 'task'; task: ClaimedTask; agentId: string }
  | { kind: 'none' }
  /** The session is COMPLETED or ARCHIVED. */
  | { kind: 'over'; status: string }
  /** The server cannot be asked now. */
  | { kind: 'away'; message: string }

/** Takes a session's tasks, one run after the other. */
export class Queue {
  readonly #context: Context
  readonly #sessionId: string
  readonly #agent: string
  #run = 1

  /** @param agent this process's name; `/1`, `/2` … is added to it for each run */
  constructor(context: Context, sessionId: string, agent: string) {
    this.#context = context
    this.#sessionId = sessionId
    this.#agent = agent
  }

  /**
   * Whether there will be tasks for this agent at all. A server that is away is no reason against it.
   * @param signal gives up
   * @returns the session's status where it is over
   * @throws CommandError where the session or the token is wrong
   */
  async check(signal: AbortSignal): Promise<string | undefined> {
    const me = await this.#ask<Me>('/me', signal)
    if (me?.role === 'viewer')
      throw new CommandError(EXIT.failure, `a daemon needs the role agent; ${me.name} has the role viewer`)
    const session = me && (await this.#ask<SessionView>(this.#path(''), signal))
    return session && session.status !== 'ACTIVE' ? session.status : undefined
  }

  /**
   * Asks for the next task. A question whose answer was lost is asked again in the name of the same run, so that the task which
   * that run may have been given is given again.
   * @throws CommandError where asking again will not help
   */
  async next(): Promise<Answer> {
    const agentId = `${this.#agent}/${this.#run}`
    const { httpInput: interactive } = this.#context.config
    try {
      const api = await this.#context.api()
      const call = { idempotent: true, retries: 0 }
      const task = await api.post<ClaimedTask | undefined>(
        this.#path('/tasks/claim'),
        { agentId, interactive },
        call,
      )
      if (!task) return { kind: 'none' }
      this.#run++
      return { kind: 'task', task, agentId }
    } catch (error) {
      return this.#explain(error)
    }
  }

  async #explain(error: unknown): Promise<Answer> {
    if (isAway(error)) return { kind: 'away', message: error.message }
    if (error instanceof ApiError && error.status === 409) return this.#askSession(error)
    throw fatal(error, this.#sessionId)
  }

  async #askSession(refusal: ApiError): Promise<Answer> {
    const session = await this.#ask<SessionView>(this.#path(''))
    const { status } = session ?? { status: 'ACTIVE' }
    return status === 'ACTIVE' ? { kind: 'away', message: refusal.message } : { kind: 'over', status }
  }

  /** @returns nothing where the server does not answer now @throws CommandError where it refuses */
  async #ask<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    try {
      const api = await this.#context.api()
      return await api.get<T>(path, { retries: 0, signal })
    } catch (error) {
      if (isAway(error)) return undefined
      throw fatal(error, this.#sessionId)
    }
  }

  #path(rest: string): string {
    return `/sessions/${encodeURIComponent(this.#sessionId)}${rest}`
  }
}

function isAway(error: unknown): error is CommandError {
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429
  // Also what is no answer of this server: one before it may fail for a while.
  return error instanceof CommandError
}

function fatal(error: unknown, sessionId: string): Error {
  if (!(error instanceof ApiError)) return error as Error
  const why =
    error.code === 'NOT_FOUND'
      ? `there is no session ${sessionId} at this server; is --session-id or KERUTA_SESSION_ID right?`
      : error.message
  return new CommandError(EXIT.failure, why)
}
