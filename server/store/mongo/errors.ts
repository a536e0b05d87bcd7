import { MongoBulkWriteError, MongoError, MongoParseError, MongoServerError } from 'mongodb'
import { KerutaError } from '#protocol/errors.ts'

const RETRY_AFTER_MS = 1000

/** The server's codes whose cause passes: no primary, a change of primary, shutdown, no majority in time, lost login, interruption. */
const UNAVAILABLE = new Set([
  6, 7, 13, 18, 24, 50, 64, 89, 91, 112, 133, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436,
])
const UNAUTHORIZED = 13
const LOGIN_FAILED = new Set([18, 8000])
const OUT_OF_DISK_SPACE = 14031
const TOO_LARGE = new Set([10334, 17280, 17419, 17420])
const DUPLICATE = 11000

/** What a failed call means to a caller: a KerutaError where the cause lies outside, else the error itself. */
export function storeError(given: unknown): unknown {
  const error = within(given)
  if (!(error instanceof MongoError)) return error
  const code = codeOf(error)
  if (code === OUT_OF_DISK_SPACE)
    return new KerutaError(
      'DISK_FULL',
      'the disk of the MongoDB server is full: free some space, then send it again',
      {
        cause: error,
      },
    )
  if (TOO_LARGE.has(code) || /larger than 16777216|too large/.test(error.message))
    return new KerutaError('TOO_LARGE', 'a document of more than 16 MB cannot be stored', { cause: error })
  // Only the server's own answers can be mistakes of this program; all else is the way to it.
  if (error instanceof MongoServerError && !UNAVAILABLE.has(code) && !isPassing(error)) return error
  return unavailable(`the store cannot be used now: ${firstLine(error)}`, error)
}

/**
 * As `storeError`, in words for the operator who gave the URL.
 * @param role that its user needs
 */
export function openingError(error: unknown, url: string, role: 'read' | 'readWrite'): unknown {
  if (!(error instanceof Error) || error instanceof KerutaError) return error
  const place = redacted(url)
  if (error instanceof MongoParseError || !(error instanceof MongoError))
    return unavailable(`this is no URL of MongoDB: ${firstLine(error)}`, error)
  const code = codeOf(error)
  if (LOGIN_FAILED.has(code))
    return unavailable(
      `MongoDB at ${place} refuses the login: check user, password and authSource in its URL`,
      error,
    )
  if (code === UNAUTHORIZED && /requires authentication/.test(error.message))
    return unavailable(`MongoDB at ${place} asks for a login: put user and password into its URL`, error)
  if (code === UNAUTHORIZED)
    return unavailable(
      `the user may not ${role === 'read' ? 'read' : 'write to'} ${place}: give it the role ${role}`,
      error,
    )
  const reason = (error as { reason?: { type?: unknown } }).reason?.type
  if (reason === 'ReplicaSetNoPrimary')
    return unavailable(
      `MongoDB at ${place} has no primary: start a majority of the replica set, or check replicaSet in its URL (${firstLine(error)})`,
      error,
    )
  return unavailable(`MongoDB at ${place} cannot be used: ${firstLine(error)}`, error)
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoError && error.code === DUPLICATE
}

export function unavailable(message: string, cause?: unknown): KerutaError {
  return new KerutaError('STORE_UNAVAILABLE', message, { cause, retryAfterMs: RETRY_AFTER_MS })
}

export async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw storeError(error)
  }
}

/** The URL without user, password and options. */
export function redacted(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '')
}

function isPassing(error: MongoError): boolean {
  return error.hasErrorLabel('RetryableWriteError') || error.hasErrorLabel('TransientTransactionError')
}

/** Where many writes went at once, a lost connection looks like an answer of the server. */
function within(error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error
  const inner: unknown = error.errorResponse
  return inner instanceof MongoError ? inner : error
}

/** A failed selection of a server has the failure of the login within. */
function codeOf(error: unknown): number {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'number') return code
  }
  return 0
}

function firstLine(error: Error): string {
  return error.message.trim().split('\n')[0]!
}
