import { STATUS_CODES } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import type { ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { z } from 'zod'
import { ERROR_STATUS, type ErrorCode, inputErrors, KerutaError } from '#protocol/errors.ts'
import type { Problem } from '#protocol/problem.ts'

/** The one place on the server where errors become answers: RFC 9457 problem documents. */
export function problemResponse(error: unknown, report?: Report): Response {
  const problem = toProblem(error, report)
  return new Response(JSON.stringify(problem), { status: problem.status, headers: problemHeaders(problem) })
}

/** Takes an error that was not expected, to log it: the caller is told only that it happened. */
export type Report = (error: unknown) => void

export function toProblem(error: unknown, report?: Report): Problem {
  const expected = expectedError(error)
  if (!expected || expected.code === 'INTERNAL') report?.(error)
  return problemOf(
    expected ??
      new KerutaError(
        'INTERNAL',
        "the server failed at this; its log says why, beside the answer's x-request-id",
      ),
  )
}

/** For `app.onError`. */
export function problemHandler(logger: Logger): ErrorHandler {
  return (error, c) =>
    problemResponse(error, err => {
      const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>
      logger.error(
        { err, requestId: outgoing?.getHeader('x-request-id'), path: c.req.path },
        'request failed',
      )
    })
}

/** For `app.notFound`. */
export const notFoundProblem: NotFoundHandler = c =>
  problemResponse(
    new KerutaError('NOT_FOUND', `there is no ${c.req.method} ${c.req.path}; /api/docs lists what there is`),
  )

export function problemHeaders({ status, retryAfterMs }: Problem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="keruta"' }),
    ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
  }
}

function problemOf(error: KerutaError): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? error.code,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.errors && { errors: error.errors }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: Math.ceil(error.retryAfterMs) }),
    ...(error.receivedBytes !== undefined && { receivedBytes: error.receivedBytes }),
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
