import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openStore, type StoreLocation } from '#server/store/open.ts'
import type { Store } from '#server/store/store.ts'
import { MongoServer, missingMongoServer } from './mongo-server.ts'

/** A test's store: one handle for each server that works on it. */
export interface SharedStore {
  location: StoreLocation
  /** Another server's. On SQLite, which has one server only, the same one. */
  open(): Promise<Store>
}

/** Runs tests over each store that can be had here, and says of the others why they cannot. */
export async function onEachStore(tests: (shared: () => SharedStore) => void): Promise<void> {
  describe('on SQLite', () => {
    let shared: SharedStore
    let close: () => Promise<void>
    beforeAll(async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'keruta-stores-'))
      const location = { kind: 'sqlite' as const, dataDir }
      const store = await openStore(location)
      shared = { location, open: async () => store }
      close = async () => {
        await store.close()
        await rm(dataDir, { recursive: true })
      }
    })
    afterAll(() => close())
    tests(() => shared)
  })

  const missing = await missingMongoServer()
  if (missing !== undefined) return it('holds on MongoDB too', ({ skip }) => skip(missing))
  describe('on MongoDB', () => {
    let server: MongoServer
    let shared: SharedStore
    const opened: Store[] = []
    beforeAll(async () => {
      server = await MongoServer.start()
      const location = { kind: 'mongodb' as const, url: server.url('keruta') }
      shared = {
        location,
        async open() {
          const store = await openStore(location)
          opened.push(store)
          return store
        },
      }
    })
    afterAll(async () => {
      await Promise.all(opened.map(store => store.close()))
      await server.dispose()
    })
    tests(() => shared)
  })
}
