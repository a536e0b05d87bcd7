import type { ErrorCode } from '#protocol/errors.ts'

/** An expected failure within a worker thread; the pool makes it a KerutaError. Free of schemas, which would cost each thread 17 MB. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
