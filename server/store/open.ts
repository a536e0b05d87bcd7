import type { SegmentReader, Store } from './store.ts'

/** Where the data lies. Plain values, so that worker threads can be given it. */
export interface StoreLocation {
  kind: 'sqlite'
  dataDir: string
}

export async function openStore(location: StoreLocation): Promise<Store> {
  const { openSqliteStore } = await import('./sqlite/store.ts')
  return openSqliteStore(location.dataDir)
}

/** The reading half alone, for a worker thread. */
export async function openSegmentReader(location: StoreLocation): Promise<SegmentReader> {
  const { openSqliteReader } = await import('./sqlite/reader.ts')
  return openSqliteReader(location.dataDir)
}
