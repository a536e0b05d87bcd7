import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame } from '#protocol/frames.ts'

type ErrorFrame = Extract<ServerFrame, { type: 'error' }>

/** An `error` frame. What was not expected is told as INTERNAL, without its text. */
export function errorFrame(error: unknown, stream?: { streamId: string; n: number }): ErrorFrame {
  const known =
    error instanceof KerutaError ? error : new KerutaError('INTERNAL', 'something went wrong on the server')
  return {
    type: 'error',
    code: known.code,
    message: known.message,
    errors: known.errors,
    retryAfterMs: known.retryAfterMs,
    ...stream,
  }
}
