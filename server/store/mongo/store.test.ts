import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import { storeContract } from '../contract.ts'
import { openMongoStore } from './store.ts'

const { kinds, missing } = await mongoKinds()
if (missing !== undefined)
  it('the MongoDB store keeps the contract of the store', ({ skip }) => skip(missing))

/** A database of its own for each test, gone after it. */
async function openIn(server: TestMongo) {
  const url = server.url(randomUUID())
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

describe.each(kinds)('$name', kind => {
  let server: TestMongo
  beforeAll(async () => {
    server = await kind.start()
  })
  afterAll(() => server.dispose())
  storeContract('MongoDB', () => openIn(server))
})
