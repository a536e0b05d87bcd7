import type { SegmentReader, Store } from './store.ts'

/** Where the data lies. Plain values, so that worker threads can be given it. */
export type StoreLocation = { kind: 'sqlite'; dataDir: string } | { kind: 'mongodb'; url: string }

/** @throws KerutaError, with a message for the operator, where it cannot be used */
export async function openStore(location: StoreLocation): Promise<Store> {
  if (location.kind === 'mongodb') {
    const { openMongoStore } = await import('./mongo/store.ts')
    return openMongoStore(location.url)
  }
  const { openSqliteStore } = await import('./sqlite/store.ts')
  return openSqliteStore(location.dataDir)
}

/** The reading half alone, for a worker thread. */
export async function openSegmentReader(location: StoreLocation): Promise<SegmentReader> {
  if (location.kind === 'mongodb') {
    const { openMongoReader } = await import('./mongo/reader.ts')
    return openMongoReader(location.url)
  }
  const { openSqliteReader } = await import('./sqlite/reader.ts')
  return openSqliteReader(location.dataDir)
}
