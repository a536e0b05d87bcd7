import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeContract } from '../contract.ts'
import { openSqliteStore } from './store.ts'

storeContract('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'keruta-store-'))
  const opened = {
    store: await openSqliteStore(dataDir),
    async reopen() {
      await opened.store.close()
      opened.store = await openSqliteStore(dataDir)
      return opened.store
    },
    async cleanup() {
      await opened.store.close()
      await rm(dataDir, { recursive: true })
    },
  }
  return opened
})
