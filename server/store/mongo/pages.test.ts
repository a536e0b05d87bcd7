import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { compileFilter, logFilterSchema } from '#protocol/log-filter.ts'
import { readPage } from '#server/logs/query/page.ts'
import { Turns } from '#server/logs/query/turns.ts'
import { mongoKinds } from '#server/testing/mongo-server.ts'
import { sampleSegment } from '../contract/samples.ts'
import { logCollections } from './documents.ts'
import { createReader } from './reader.ts'
import { openMongoStore } from './store.ts'

const { kinds, missing } = await mongoKinds()
const title =
  'A page anywhere in a long log takes three statements, each by an index and no longer than the page'
if (missing !== undefined) it(title, ({ skip }) => skip(missing))

const SEGMENTS = 300
const LINES = SEGMENTS * 200

it.each(kinds)(`${title}, $name`, async kind => {
  const server = await kind.start()
  const store = await openMongoStore(server.url('keruta'))
  const parts = Array.from({ length: SEGMENTS }, () => sampleSegment(200))
  for (let at = 0; at < SEGMENTS; at += 100)
    await store.segments.append('t', at * 200 + 1, parts.slice(at, at + 100))
  await store.close()

  const client = await MongoClient.connect(server.url('keruta'), { monitorCommands: true })
  const reader = { ...createReader(logCollections(client.db())), close: async () => undefined }
  const statements: Record<string, unknown>[] = []
  client.on('commandStarted', ({ command }) => statements.push(command))
  const filter = compileFilter(logFilterSchema.parse({}))
  for (const order of ['asc', 'desc'] as const) {
    for (const page of [0, 1, 301, LINES / 100 - 1]) {
      statements.length = 0
      const request = { taskId: 't', filter, page, size: 100, order }
      const { entries, total } = await readPage({ reader, turn: new Turns().begin() }, request)
      expect(total).toBe(LINES)
      const first = order === 'asc' ? page * 100 + 1 : LINES - page * 100
      expect(entries.map(({ seq }) => seq)).toEqual(
        Array.from({ length: 100 }, (_, at) => (order === 'asc' ? first + at : first - at)),
      )
      expect(statements).toMatchObject([
        { aggregate: 'segments', hint: 'header' },
        { find: 'segments', hint: 'header', filter: { taskId: 't' }, limit: expect.any(Number) },
        { find: 'segments', filter: { _id: { $in: expect.any(Array) } } },
      ])
      expect(statements[1]!.limit).toBeLessThanOrEqual(129)
    }
  }
  await client.close()
  await server.dispose()
})
