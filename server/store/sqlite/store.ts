import { resolve } from 'node:path'
import type { Store } from '#server/store/store.ts'
import { entitiesPath, takeDataDir } from './data-dir.ts'
import { openEntities } from './entities.ts'
import { openSqliteReader } from './reader.ts'
import { createSegmentStore } from './segments.ts'
import { Writer } from './writer.ts'

/**
 * The embedded store. One process at a time has the folder.
 * @throws KerutaError CONFLICT where another has it, or where it is of a newer version; STORE_UNAVAILABLE where it cannot be used
 */
export async function openSqliteStore(dataDir: string): Promise<Store> {
  const folder = resolve(dataDir)
  const release = takeDataDir(folder)
  const { ping, close, ...collections } = openEntities(entitiesPath(folder))
  const writer = await Writer.open(folder)
  const reader = await openSqliteReader(folder)
  return {
    ...collections,
    segments: createSegmentStore(reader, writer),
    async ready() {
      await ping()
      await reader.totals([])
    },
    async close() {
      await writer.close()
      await reader.close()
      await close()
      release()
    },
  }
}
