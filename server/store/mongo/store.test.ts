import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MongoServer, missingMongoServer } from '#server/testing/mongo-server.ts'
import { storeContract } from '../contract.ts'
import { openMongoStore } from './store.ts'

const missing = await missingMongoServer()
const real = process.env.KERUTA_TEST_MONGODB_URL

/** A database of its own for each test, gone after it. */
async function openIn(urlOf: (database: string) => string) {
  const url = urlOf(`keruta-test-${randomUUID()}`)
  const opened = {
    store: await openMongoStore(url),
    async reopen() {
      await opened.store.close()
      opened.store = await openMongoStore(url)
      return opened.store
    },
    async cleanup() {
      await opened.store.close()
      const client = await MongoClient.connect(url)
      await client.db().dropDatabase()
      await client.close()
    },
  }
  return opened
}

if (missing === undefined) {
  describe('over the MongoDB protocol', () => {
    let server: MongoServer
    beforeAll(async () => {
      server = await MongoServer.start()
    })
    afterAll(() => server.dispose())
    storeContract('MongoDB', () => openIn(database => server.url(database)))
  })
} else it('the MongoDB store keeps the contract of the store', ({ skip }) => skip(missing))

if (real) {
  describe('on a real server', () => {
    storeContract('MongoDB', () => openIn(database => withDatabase(real, database)))
  })
}

function withDatabase(url: string, database: string): string {
  return url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${database}`)
}
