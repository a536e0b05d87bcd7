import { STATUS_CODES } from 'node:http'
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { z } from 'zod'
import { ERROR_STATUS, type ErrorCode, inputErrors, KerutaError, type Problem } from '#protocol/errors.ts'

/**
 * The one place where errors become RFC 9457 problem documents. What was not expected is told to `report`, and to the caller
 * only that it happened.
 */
export function problemResponse(error: unknown, report?: (error: unknown) => void): Response {
  const expected = expectedError(error)
  if (!expected) report?.(error)
  const problem = problemOf(
    expected ?? new KerutaError('INTERNAL', 'the server failed at this; its log says why'),
  )
  return new Response(JSON.stringify(problem), { status: problem.status, headers: problemHeaders(problem) })
}

/** For `app.onError`. */
export function problemHandler(logger: Logger): ErrorHandler {
  return (error, c) =>
    problemResponse(error, unexpected => {
      logger.error(
        { err: unexpected, requestId: c.req.header('x-request-id'), path: c.req.path },
        'request failed',
      )
    })
}

/** For `app.notFound`. */
export const notFoundProblem: NotFoundHandler = c =>
  problemResponse(
    new KerutaError('NOT_FOUND', `there is no ${c.req.method} ${c.req.path}; /api/docs lists what there is`),
  )

/** For `new OpenAPIHono({ defaultHook })`: input that its schema refuses. */
export function problemHook(result: { success: boolean; error?: unknown }, _: Context): Response | undefined {
  return result.success ? undefined : problemResponse(result.error)
}

/** The problem document of an expected failure. */
export function problemOf(error: KerutaError): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? error.code,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.errors && { errors: error.errors }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: Math.ceil(error.retryAfterMs) }),
  }
}

export function problemHeaders({ status, retryAfterMs }: Problem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="keruta"' }),
    ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
  }
}

function expectedError(error: unknown): KerutaError | undefined {
  if (error instanceof KerutaError) return error
  if (error instanceof z.ZodError) {
    const errors = inputErrors(error)
    const summary = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
    return new KerutaError('BAD_REQUEST', summary.slice(0, 1000), { errors, cause: error })
  }
  if (error instanceof HTTPException && error.status < 500) {
    return new KerutaError(codeOf(error.status), error.message || (STATUS_CODES[error.status] ?? ''), {
      cause: error,
    })
  }
  return undefined
}

function codeOf(status: number): ErrorCode {
  const codes = Object.keys(ERROR_STATUS) as ErrorCode[]
  return codes.find(code => ERROR_STATUS[code] === status) ?? 'BAD_REQUEST'
}
