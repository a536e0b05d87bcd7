import { buffer } from 'node:stream/consumers'
import { GridFSBucket, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import type { Store } from '../store.ts'
import { openMongoStore } from './store.ts'

const { kinds, missing } = await mongoKinds()
if (missing !== undefined) it('blobs lie in MongoDB', ({ skip }) => skip(missing))

describe.each(kinds)('blobs in MongoDB, $name', kind => {
  let server: TestMongo
  const opened: Store[] = []
  beforeAll(async () => {
    server = await kind.start()
  })
  afterAll(async () => {
    for (const store of opened) await store.close()
    await server.dispose()
  })

  const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, at) => (at * 7) % 251))
  const chunks = async function* (from = 0, to = bytes.length) {
    for (let at = from; at < to; at += 300_000) yield bytes.subarray(at, Math.min(to, at + 300_000))
  }
  const open = async (database: string) => {
    const store = await openMongoStore(server.url(database))
    opened.push(store)
    return store
  }

  it('are files that any client of GridFS finds by name and reads', async () => {
    const { blobs } = await open('clients')
    await blobs.write('a-1', 0, chunks())
    await blobs.seal('a-1', bytes.length, 'reports/year.pdf')
    const client = await MongoClient.connect(server.url('clients'))
    try {
      const bucket = new GridFSBucket(client.db(), { bucketName: 'artifacts' })
      const [file] = await bucket.find({ filename: 'reports/year.pdf' }).toArray()
      expect(file).toMatchObject({ _id: 'a-1', length: bytes.length })
      const read = await buffer(bucket.openDownloadStreamByName('reports/year.pdf'))
      expect(read.equals(bytes)).toBe(true)
    } finally {
      await client.close()
    }
  })

  it('may be written by two servers at once, and hold the bytes that both brought', async () => {
    const [one, two] = [await open('both'), await open('both')]
    await one.blobs.write('a', 0, chunks(0, 1_200_000))
    await Promise.all([one, two].map(({ blobs }) => blobs.write('a', 1_200_000, chunks(1_200_000))))
    await Promise.all([one, two].map(({ blobs }) => blobs.seal('a', bytes.length, 'a')))
    expect((await buffer(await two.blobs.read('a', 0, bytes.length))).equals(bytes)).toBe(true)
  })

  it('refuse the server that brings other bytes than are there', async () => {
    const [one, two] = [await open('other'), await open('other')]
    await one.blobs.write('a', 0, chunks(0, 100))
    const [, refused] = await Promise.allSettled([
      one.blobs.write('a', 100, chunks(100)),
      two.blobs.write(
        'a',
        100,
        (async function* () {
          // Not before the first is through.
          await expect.poll(() => one.blobs.size('a')).toBe(bytes.length)
          yield Buffer.alloc(2_000_000)
        })(),
      ),
    ])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } })
    await one.blobs.seal('a', bytes.length, 'a')
    expect((await buffer(await one.blobs.read('a', 0, bytes.length))).equals(bytes)).toBe(true)
  })
})
