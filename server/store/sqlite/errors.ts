import { KerutaError } from '#protocol/errors.ts'

const RETRY_AFTER_MS = 1000

/** SQLite's primary result codes whose cause lies outside: BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOTADB. */
const UNAVAILABLE = new Set([5, 6, 7, 8, 10, 11, 14, 15, 26])
/** FULL, and IOERR_SHMSIZE: the index of the write-ahead log does not fit on the disk. */
const NO_ROOM = new Set([13, 4874])

/** What a failed call into either SQLite library means to a caller: a KerutaError where the cause lies outside, else the error itself. */
export function storeError(error: unknown): unknown {
  const code = resultCode(error)
  if (code === undefined) return error
  if (NO_ROOM.has(code)) return diskFull(error)
  if (!UNAVAILABLE.has(code & 0xff)) return error
  const message = `the store cannot be used now: ${lastLine(error)}`
  return new KerutaError('STORE_UNAVAILABLE', message, { cause: error, retryAfterMs: RETRY_AFTER_MS })
}

const NO_ROOM_FOR_FILES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What a failed call into the file system means to a caller. */
export function fileError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || !/^E(?!RR_)/.test(code)) return error
  if (NO_ROOM_FOR_FILES.has(code)) return diskFull(error)
  if (code === 'ENOENT')
    return new KerutaError('NOT_FOUND', 'its bytes are gone from the data folder', { cause: error })
  const message = `the data folder cannot be used now: ${lastLine(error)}`
  return new KerutaError('STORE_UNAVAILABLE', message, { cause: error, retryAfterMs: RETRY_AFTER_MS })
}

export function diskFull(cause?: unknown): KerutaError {
  const message = 'the disk under the data folder is full: free some space, then send it again'
  return new KerutaError('DISK_FULL', message, { cause })
}

/** The extended result code: `node:sqlite` has it on the error, Prisma within, or a code of its own where the file stayed locked. */
function resultCode(error: unknown): number | undefined {
  const { code, errcode, meta } = error as {
    code?: unknown
    errcode?: number
    meta?: { driverAdapterError?: { cause?: { extendedCode?: number } } }
  }
  return code === 'P1008' ? 5 : (errcode ?? meta?.driverAdapterError?.cause?.extendedCode)
}

/** Prisma tells of its call first. */
function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n').at(-1)!
}
