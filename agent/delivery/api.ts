import type { Problem } from '#protocol/errors.ts'
import { CommandError, EXIT } from '../exit.ts'
import { type HttpAnswer, httpCall } from './http-call.ts'
import { retryAfterMs } from './retryable.ts'

export interface ApiOptions {
  /** `http://host:port`, without `/api/v1`. */
  url: string
  token: string | undefined
  timeoutMs: number
  retries: number
}

export interface Call {
  body?: unknown
  /** A call that may be repeated where nobody knows whether it was carried out; default for everything but POST. */
  idempotent?: boolean
  retries?: number
  signal?: AbortSignal
  headers?: Record<string, string>
  /** Gives the `Response` itself, for a stream. */
  raw?: boolean
}

const EXIT_BY_STATUS: Record<number, number> = { 400: EXIT.usage, 401: EXIT.refused, 403: EXIT.refused }

/** An answer of the server that is no success. */
export class ApiError extends CommandError {
  readonly status: number
  readonly code: string | undefined

  constructor(status: number, code: string | undefined, message: string) {
    super(EXIT_BY_STATUS[status] ?? EXIT.failure, message)
    this.status = status
    this.code = code
  }
}

const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

export class Api {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#options.url
  }

  get token(): string | undefined {
    return this.#options.token
  }

  get<T>(path: string, call: Call = {}): Promise<T> {
    return this.call<T>('GET', path, call)
  }

  /** What is no JSON. */
  async text(path: string): Promise<string> {
    return (await this.#answer('GET', path, {})).text()
  }

  post<T>(path: string, body: unknown, call: Call = {}): Promise<T> {
    return this.call<T>('POST', path, { idempotent: false, ...call, body })
  }

  /** @param path below `/api/v1`, or from the root where it does not begin with a letter's folder (`/healthz`). */
  async call<T>(method: string, path: string, call: Call): Promise<T> {
    const answer = await this.#answer(method, path, call)
    return (call.raw ? answer : await readJson(answer)) as T
  }

  async #answer(method: string, path: string, call: Call): Promise<HttpAnswer> {
    const { idempotent = true, retries = this.#options.retries } = call
    for (let attempt = 1; ; attempt++) {
      const { error, wait, response } = await this.#attempt(method, path, call, attempt, retries, idempotent)
      if (response) return response
      if (wait === undefined || call.signal?.aborted) throw error
      await new Promise(resolve => setTimeout(resolve, wait))
    }
  }

  async #attempt(
    method: string,
    path: string,
    call: Call,
    attempt: number,
    retries: number,
    idempotent: boolean,
  ) {
    let response: HttpAnswer
    try {
      response = await this.#fetch(method, path, call)
    } catch (cause) {
      const code = reasonOf(cause)
      const error = new CommandError(
        EXIT.unreachable,
        `the server at ${this.#options.url} cannot be reached (${code}); is it running, and is --api-url or KERUTA_API_URL right?`,
        { cause },
      )
      return {
        error,
        wait: retryAfterMs({ kind: 'failure', sent: !UNSENT.has(code) }, idempotent, attempt, retries),
      }
    }
    if (response.ok) return { response }
    const problem = await readProblem(response)
    const seconds = Number(response.headers.get('retry-after'))
    const outcome = {
      kind: 'answer',
      status: response.status,
      retryAfterMs: problem.retryAfterMs ?? (seconds || 0) * 1000,
    } as const
    return {
      error: toError(response.status, problem, path),
      wait: retryAfterMs(outcome, idempotent, attempt, retries),
    }
  }

  #fetch(method: string, path: string, call: Call): Promise<HttpAnswer> {
    const { token, timeoutMs, url } = this.#options
    const target = url + (ROOT_PATHS.test(path) ? path : `/api/v1${path}`)
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    const headers: Record<string, string> = { ...call.headers }
    if (token) headers.authorization = `Bearer ${token}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (call.raw) return fetch(target, { method, headers, body, signal: call.signal })
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout
    return httpCall(target, { method, headers, body, signal })
  }
}

const ROOT_PATHS = /^\/(healthz|readyz|metrics)$/

function reasonOf(error: unknown): string {
  const { cause, code, name, message } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException }
  if (name === 'TimeoutError') return 'timed out'
  return code ?? cause?.code ?? cause?.message ?? message
}

async function readJson(response: HttpAnswer): Promise<unknown> {
  const text = await response.text()
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch (cause) {
    throw new CommandError(
      EXIT.failure,
      `${response.url} did not answer with JSON; does --api-url name a keruta server?`,
      { cause },
    )
  }
}

async function readProblem(response: HttpAnswer): Promise<Partial<Problem>> {
  const text = await response.text().catch(() => '')
  try {
    return JSON.parse(text) as Partial<Problem>
  } catch {
    return {}
  }
}

function toError(status: number, problem: Partial<Problem>, path: string): ApiError {
  // The detail of bad input sums its errors up; each of them says as much, and where.
  const errors = problem.errors
    ?.map(({ path: at, message }) => (at ? `${at}: ${message}` : message))
    .join('; ')
  const detail = errors || problem.detail || problem.title || `the server answered ${status} to ${path}`
  return new ApiError(status, problem.code, detail + adviceFor(status, problem))
}

/** What to do next. */
function adviceFor(status: number, { code, detail }: Partial<Problem>): string {
  if (status === 401) return '; give a valid key with --token or KERUTA_API_TOKEN'
  if (status === 403) return '; this needs a key with more rights'
  if (status !== 404) return ''
  if (code === undefined) return '; does --api-url or KERUTA_API_URL name a keruta server?'
  const [, what] = /^there is no (task|session) /.exec(detail ?? '') ?? []
  return what ? `; keruta ${what}s lists those there are` : ''
}
