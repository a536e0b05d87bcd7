import { KerutaError } from '#protocol/errors.ts'

const RETRY_AFTER_MS = 1000

/** SQLite's primary result codes whose cause lies outside: BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, CANTOPEN, PROTOCOL. */
const UNAVAILABLE = new Set([5, 6, 7, 8, 10, 11, 14, 15])
const FULL = 13

/** What a failed call into either SQLite library means to a caller: a KerutaError where the cause lies outside, else the error itself. */
export function storeError(error: unknown): unknown {
  const text = messages(error)
  const code = resultCode(error)
  if (code === FULL || /disk is full|SQLITE_FULL|ENOSPC|EDQUOT/.test(text)) {
    const message = 'the disk under the data folder is full: free some space, then send it again'
    return new KerutaError('DISK_FULL', message, { cause: error })
  }
  const outside =
    /SQLITE_(BUSY|LOCKED|IOERR|READONLY|CANTOPEN|CORRUPT|NOMEM|PROTOCOL|NOTADB)|database is locked|disk I\/O error/
  if ((code !== undefined && UNAVAILABLE.has(code)) || outside.test(text)) {
    const message = `the store cannot be used now: ${error instanceof Error ? error.message : text}`
    return new KerutaError('STORE_UNAVAILABLE', message, { cause: error, retryAfterMs: RETRY_AFTER_MS })
  }
  return error
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** The messages and codes of an error and of its causes. */
function messages(error: unknown): string {
  const parts: string[] = []
  for (let at = error, depth = 0; at && depth < 5; depth++) {
    const { message, code, cause } = at as { message?: unknown; code?: unknown; cause?: unknown }
    parts.push(String(code ?? ''), typeof at === 'string' ? at : String(message ?? ''))
    at = cause
  }
  return parts.join(' ')
}
