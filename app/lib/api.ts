import type { Problem } from '#protocol/errors.ts'
import { loginUrl } from './site-path.ts'

/** What the server (or the way to it) answered instead of success. `status` is 0 where no answer came. */
export class ApiError extends Error {
  readonly status: number
  readonly problem: Problem | undefined

  constructor(status: number, message: string, problem?: Problem) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.problem = problem
  }
}

type Query = URLSearchParams | Record<string, string | number | undefined>

/** `path` under `/api/v1`, with a query; also what download links point to. */
export function apiUrl(path: string, query: Query = {}): string {
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query)
  const params = new URLSearchParams(
    entries.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, String(value)]])),
  )
  return `/api/v1${path}${params.size ? `?${params}` : ''}`
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  request<T>(apiUrl(path, query), { signal })

export const post = <T>(path: string, body: unknown = {}): Promise<T> => send<T>('POST', path, body)
export const patch = <T>(path: string, body: unknown): Promise<T> => send<T>('PATCH', path, body)

export const del = (path: string): Promise<void> => request<void>(apiUrl(path), { method: 'DELETE' })

/** The beginning of a file, as text. A character that is cut in two at its end is left out. */
export async function readText(url: string, size: number, signal: AbortSignal): Promise<string> {
  const response = await answered(url, { signal, headers: { range: `bytes=0-${size - 1}` } })
  return new TextDecoder().decode(await response.arrayBuffer(), { stream: true })
}

/** What the server found wrong with each part of what was sent, by its dotted path; `''` for the whole. */
export function inputErrors(error: unknown): ReadonlyMap<string, string> {
  const errors = error instanceof ApiError ? (error.problem?.errors ?? []) : []
  return new Map(errors.map(({ path, message }) => [path, message]))
}

/** Leaves for the login page, which comes back to where the reader is now. */
export function goToLogin(): void {
  if (location.pathname !== '/login')
    location.assign(loginUrl(location.pathname + location.search + location.hash))
}

/** Text of a path segment: ids may hold `:` and `.`. */
export const segment = (id: string): string => encodeURIComponent(id)

const send = <T>(method: string, path: string, body: unknown): Promise<T> =>
  request<T>(apiUrl(path), {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

async function request<T>(url: string, init: RequestInit): Promise<T> {
  const response = await answered(url, init)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

/** @throws ApiError where the answer is no success */
async function answered(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, credentials: 'same-origin' }).catch(error => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The server cannot be reached.')
  })
  if (response.status === 401 && !url.endsWith('/login')) goToLogin()
  if (!response.ok) throw await problemOf(response)
  return response
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem: Problem | undefined = await response.json().catch(() => undefined)
  const inputs = problem?.errors
    ?.map(one => (one.path ? `${one.path}: ${one.message}` : one.message))
    .join('\n')
  const message = inputs || problem?.detail || problem?.title || `The server answered ${response.status}.`
  return new ApiError(response.status, message, problem)
}
