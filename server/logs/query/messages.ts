import type { ErrorCode } from '#protocol/errors.ts'
import type { Operations, RequestOf } from './operations.ts'

/** To a worker thread. */
export interface QueryMessage<Name extends keyof Operations = keyof Operations> {
  id: number
  name: Name
  request: RequestOf<Name>
}

/** From a worker thread: the answer to the message of that id. */
export type AnswerMessage =
  | { id: number; answer: unknown }
  | { id: number; error: { code: ErrorCode; message: string; retryAfterMs?: number } }
