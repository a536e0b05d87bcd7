import type { z } from 'zod'

/** Free of schemas at run time, so that threads and the agent start quickly without them. */
export type { Problem } from './problem.ts'

/** Every code that REST problems and live `error` frames carry, with the HTTP status it answers. */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FOREIGN_ORIGIN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  ILLEGAL_TRANSITION: 409,
  OUT_OF_ORDER: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  BAD_SEGMENT: 422,
  QUERY_TIMEOUT: 422,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  STORE_UNAVAILABLE: 503,
  DISK_FULL: 507,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

/** What is wrong with one part of the input; `path` is dotted (`entries.3.level`), `''` for the whole. */
export interface InputError {
  path: string
  message: string
}

/** The one class for expected failures, on the server and in the agent. */
export class KerutaError extends Error {
  readonly code: ErrorCode
  readonly errors: InputError[] | undefined
  /** Milliseconds after which the same call may succeed; with RATE_LIMITED and STORE_UNAVAILABLE. */
  readonly retryAfterMs: number | undefined
  /** Where an upload goes on, with OUT_OF_ORDER. */
  readonly receivedBytes: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      errors?: InputError[]
      retryAfterMs?: number
      receivedBytes?: number
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'KerutaError'
    this.code = code
    this.errors = options.errors
    this.retryAfterMs = options.retryAfterMs
    this.receivedBytes = options.receivedBytes
  }

  get status(): number {
    return ERROR_STATUS[this.code]
  }
}

/** Zod's issues as input errors, paths dotted. */
export function inputErrors(error: z.ZodError): InputError[] {
  return error.issues.map(issue => ({ path: issue.path.map(String).join('.'), message: issue.message }))
}
