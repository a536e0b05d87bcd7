import { KerutaError } from '#protocol/errors.ts'
import type { CopyMark, SegmentReader, Store, StoreReader } from './store.ts'

/** Where the data lies. Plain values, so that worker threads can be given it. */
export type StoreLocation = { kind: 'sqlite'; dataDir: string } | { kind: 'mongodb'; url: string }

/**
 * For a server.
 * @throws KerutaError, with a message for the operator, where it cannot be used, or is half a copy of another store
 */
export async function openStore(location: StoreLocation): Promise<Store> {
  const store = await openStoreToFill(location)
  try {
    const mark = await store.copyMark()
    if (mark && !mark.done) throw new KerutaError('CONFLICT', `this store ${unfinished(mark)}`)
    // From now on it has a life of its own.
    if (mark) await store.setCopyMark(undefined)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

/** For a copy into it. @throws KerutaError, with a message for the operator, where it cannot be used */
export async function openStoreToFill(location: StoreLocation): Promise<Store> {
  if (location.kind === 'mongodb') {
    const { openMongoStore } = await import('./mongo/store.ts')
    return openMongoStore(location.url)
  }
  const { openSqliteStore } = await import('./sqlite/store.ts')
  return openSqliteStore(location.dataDir)
}

/** What can be read of a store beside the servers that work on it. @throws KerutaError, with a message for the operator */
export async function openStoreReader(location: StoreLocation): Promise<StoreReader> {
  if (location.kind === 'mongodb') {
    const { openMongoStoreReader } = await import('./mongo/store.ts')
    return openMongoStoreReader(location.url)
  }
  const { openSqliteStoreReader } = await import('./sqlite/store.ts')
  return openSqliteStoreReader(location.dataDir)
}

/** The reading half of the logs alone, for a worker thread. */
export async function openSegmentReader(location: StoreLocation): Promise<SegmentReader> {
  if (location.kind === 'mongodb') {
    const { openMongoReader } = await import('./mongo/reader.ts')
    return openMongoReader(location.url)
  }
  const { openSqliteReader } = await import('./sqlite/reader.ts')
  return openSqliteReader(location.dataDir)
}

/** What is wrong with a store that has such a mark. */
export function unfinished({ from }: CopyMark): string {
  return `is an unfinished copy of ${from}: run that copy or restore again to its end first`
}

/** What `open` throws says also which variable names the server's own store. */
export async function namedByVariable<T>({ kind }: StoreLocation, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof KerutaError)) throw error
    const { code, message, retryAfterMs } = error
    const hint = kind === 'mongodb' ? 'DATABASE_URL names it' : 'KERUTA_DATA_DIR names the folder'
    throw new KerutaError(code, `${message.replace(/\.$/, '')}; ${hint}`, { retryAfterMs, cause: error })
  }
}
