import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import { readMessages, sampleSegment, sampleTask, streamSegment } from '../contract/samples.ts'
import type { SegmentHeader, Store } from '../store.ts'
import { logCollections, segmentFields } from './documents.ts'
import { migrations } from './migrations.ts'
import { openMongoReader } from './reader.ts'
import { createSegmentStore } from './segments.ts'
import { openMongoStore } from './store.ts'

const { kinds, missing } = await mongoKinds()
if (missing !== undefined) it('a MongoDB server may fail', ({ skip }) => skip(missing))

const appender = fileURLToPath(new URL('./test/append-forever.ts', import.meta.url))

async function expectWhole(store: Store, taskId: string, acknowledged: number): Promise<number> {
  const head = await store.segments.head(taskId)
  expect(head.lastSeq).toBeGreaterThanOrEqual(acknowledged)
  expect(head.lastSeq % 100).toBe(0)
  expect(head.streams.get('s')).toEqual({ n: head.lastSeq })
  const { seqs, messages } = await readMessages(store.segments, taskId)
  expect(seqs).toEqual(Array.from({ length: head.lastSeq }, (_, at) => at + 1))
  expect(messages).toEqual(seqs.map(at => `${taskId} ${((at - 1) % 100) + 1}`))
  expect((await store.segments.totals([taskId])).get(taskId)).toMatchObject({ lines: head.lastSeq })
  return head.lastSeq
}

describe.each(kinds)('with a MongoDB server that may fail, $name', kind => {
  let server: TestMongo
  let database: string
  let url: string
  beforeAll(async () => {
    server = await kind.start()
  })
  afterAll(() => server.dispose())
  beforeEach(() => {
    database = `faults-${randomUUID()}`
    url = server.url(database)
  })

  it('a kill of a keruta server in the middle of appending loses nothing that was acknowledged, and halves nothing', async () => {
    const child = spawn(process.execPath, [appender, url, 't'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    let acknowledged = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged === 4000) child.kill('SIGKILL')
    }
    await exited
    const store = await openMongoStore(url)
    const lastSeq = await expectWhole(store, 't', acknowledged)
    expect(await store.segments.append('t', lastSeq + 1, [streamSegment('s', lastSeq, 1)])).toMatchObject({
      ok: true,
    })
    await store.close()
  })

  it('a kill of the MongoDB server is an error with a time to come back, and all resumes by itself', async () => {
    const store = await openMongoStore(server.url(database, '?serverSelectionTimeoutMS=500'))
    const { segments } = store
    let next = 1
    const part = (firstN: number) => ({
      ...sampleSegment(100, 't'),
      stream: { streamId: 's', firstN, lastN: firstN + 99 },
    })
    const append = async () => {
      const result = await segments.append('t', next, [part(next), part(next + 100)])
      expect(result).toEqual({ ok: true, firstSeq: next })
      next += 200
    }
    for (let round = 1; round <= 2; round++) {
      for (let times = 0; times < 6; times++) await append()
      const failing = (async () => {
        for (;;) await append()
      })()
      const told = expect(failing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterMs: 1000 })
      const killed = server.kill()
      await told
      await killed
      if (round === 1) await expect(store.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await server.start()
      await vi.waitFor(() => store.ready(), 10_000)
      // What was under way may be kept or not; an agent asks, and goes on from there.
      next = (await expectWhole(store, 't', next - 1)) + 1
      for (let times = 0; times < 5; times++) await append()
    }
    expect(await store.tasks.insert(sampleTask('t'))).toBe(true)
    await store.close()
  }, 90_000)

  it('opens at once from several servers, which make the collections once', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openMongoStore(url)))
    const { applied, lockOwner } = await inDatabase(url, db => db.collection('keruta').findOne())
    expect(applied.map(({ name }: { name: string }) => name)).toEqual(migrations.map(({ name }) => name))
    expect(lockOwner).toBeUndefined()
    await Promise.all(stores.map(store => store.close()))
  })

  it('two servers append to one log, one after the other and at once, and a stale one learns where it stands', async () => {
    const [a, b] = await Promise.all([openMongoStore(url), openMongoStore(url)])
    expect(await a.segments.append('t', 1, [streamSegment('a', 0, 2)])).toMatchObject({ ok: true })
    expect(await b.segments.append('t', 3, [streamSegment('b', 0, 2)])).toMatchObject({ ok: true })
    // To `a`, 3 is free: what lay there is merged, or deleted, by now.
    const headers = await b.segments.headers('t', { order: 'asc', limit: 10 })
    const merged = { ...sampleSegment(4), firstSeq: 1, codec: 'raw' as const }
    expect(await b.segments.replace('t', headers, [merged])).toBe(true)
    const refused = { ok: false, appended: 0, head: { lastSeq: 4 } }
    expect(await a.segments.append('t', 3, [streamSegment('a', 2, 1)])).toMatchObject(refused)
    expect(await a.segments.append('t', 5, [streamSegment('a', 2, 1)])).toMatchObject({ ok: true })
    expect(await b.segments.append('t', 5, [streamSegment('b', 2, 1)])).toMatchObject({ ok: false })
    expect(await a.segments.append('t', 6, [streamSegment('a', 3, 1)])).toMatchObject({ ok: true })
    expect(await b.segments.remove('t')).toBe(6)
    expect(await b.segments.append('t', 6, [streamSegment('b', 2, 1)])).toMatchObject({ ok: false })
    expect(await a.segments.head('t')).toEqual({
      lastSeq: 6,
      streams: new Map([
        ['a', { n: 4 }],
        ['b', { n: 2 }],
      ]),
    })
    await Promise.all([a.close(), b.close()])
  })

  it('racers on two servers get in once each, and many segments leave a head that both know', async () => {
    const stores = await Promise.all([openMongoStore(url), openMongoStore(url)])
    const race = async (racer: number) => {
      const { segments } = stores[racer % 2]!
      let next = 1
      for (let line = 0; line < 20; ) {
        const result = await segments.append('t', next, [streamSegment(`racer ${racer}`, line, 1)])
        if (result.ok) line++
        next = result.ok ? next + 1 : result.head.lastSeq + 1
      }
    }
    await Promise.all([0, 1, 2, 3, 4, 5].map(race))
    const { seqs, messages } = await readMessages(stores[0].segments, 't')
    expect(seqs).toEqual(Array.from({ length: 120 }, (_, at) => at + 1))
    expect(messages).toHaveLength(120)
    const heads = await Promise.all(stores.map(store => store.segments.head('t')))
    expect([...heads[0]!.streams.values()]).toEqual(Array.from({ length: 6 }, () => ({ n: 20 })))
    expect(heads[1]).toEqual(heads[0])
    await Promise.all(stores.map(store => store.close()))
  })

  describe('a server that died while it replaced', () => {
    const MERGED = [
      { firstSeq: 1, count: 25 },
      { firstSeq: 26, count: 15 },
    ]
    const part = (firstSeq: number, count: number) => sampleSegmentFrom(firstSeq, count)

    /** Ten lines a segment; `steps` of: the second new one is put, the first is put, the old ones go one by one. */
    async function dieAfter(steps: number): Promise<void> {
      const store = await openMongoStore(url)
      const parts = [0, 1, 2, 3].map(at => part(at * 10 + 1, 10))
      await store.segments.append('t', 1, parts)
      await store.segments.append('t', 41, [part(41, 10)])
      await store.close()
      await inDatabase(url, async db => {
        const { segments, heads } = logCollections(db)
        const lockUntil = new Date(0)
        await heads.updateOne(
          { _id: 't/0' },
          {
            $set: { taskId: 't', firstSeq: 0, count: 0, lastSeq: 50, busy: 1, lockOwner: 'dead', lockUntil },
          },
          { upsert: true },
        )
        for (const { firstSeq, count } of MERGED.toReversed().slice(0, steps)) {
          const { summary, body } = part(firstSeq, count)
          const $set = segmentFields('t', firstSeq, summary, 'raw', body)
          await segments.updateOne({ _id: `t/${firstSeq}` }, { $set }, { upsert: true })
        }
        for (const firstSeq of [11, 21, 31].slice(0, Math.max(0, steps - 2)))
          await segments.updateOne(
            { _id: `t/${firstSeq}` },
            { $unset: { firstSeq: 1, lastSeq: 1, count: 1 } },
          )
      })
    }

    it.each([0, 1, 2, 3, 4, 5])(
      'after %i of its steps left a log that is read and counted rightly',
      async steps => {
        await dieAfter(steps)
        const reader = await openMongoReader(url)
        const all = Array.from({ length: 50 }, (_, at) => at + 1)
        const check = async () => {
          const { seqs, messages } = await readMessages(reader, 't')
          expect(seqs).toEqual(all)
          expect(messages).toEqual(all.map(seq => `line ${seq}`))
          expect((await reader.totals(['t'])).get('t')).toMatchObject({ firstSeq: 1, lastSeq: 50, lines: 50 })
          for (const limit of [1, 2, 3, 100]) {
            expect(await linesDownwards(limit)).toEqual(all.toReversed())
            expect(await linesUpwards(limit)).toEqual(all)
          }
        }
        const linesOf = ({ firstSeq, count }: SegmentHeader) =>
          Array.from({ length: count }, (_, at) => firstSeq + at)
        const linesUpwards = async (limit: number) => {
          const lines: number[] = []
          for (;;) {
            const after = lines.at(-1) ?? 0
            const headers = await reader.headers('t', { after, order: 'asc', limit })
            for (const line of headers.flatMap(linesOf)) if (line > (lines.at(-1) ?? 0)) lines.push(line)
            if (headers.length < limit) return lines
          }
        }
        const linesDownwards = async (limit: number) => {
          const lines: number[] = []
          for (;;) {
            const before = lines.at(-1) ?? 51
            const headers = await reader.headers('t', { before, order: 'desc', limit })
            for (const line of headers.flatMap(header => linesOf(header).toReversed()))
              if (line < (lines.at(-1) ?? 51)) lines.push(line)
            if (headers.length < limit) return lines
          }
        }
        await check()
        // The next server tidies up.
        const store = await openMongoStore(url)
        await check()
        const headers = await store.segments.headers('t', { order: 'asc', limit: 100 })
        expect(headers.map(({ firstSeq }) => firstSeq)).toEqual(steps < 2 ? [1, 11, 21, 31, 41] : [1, 26, 41])
        expect(await inDatabase(url, db => db.collection('segments').countDocuments({ busy: 1 }))).toBe(0)
        expect(await store.segments.remove('t')).toBe(50)
        await store.close()
        await reader.close()
      },
    )
  })

  it('what was known of a log long ago is not trusted', async () => {
    let now = 0
    await (await openMongoStore(url)).close()
    const client = await MongoClient.connect(url)
    const logs = logCollections(client.db())
    const [mine, other] = [createSegmentStore(logs, () => now), createSegmentStore(logs)]
    await mine.append('t', 1, [sampleSegment(1)])
    await other.append('t', 2, [sampleSegment(1)])
    await other.remove('t')
    // The marks of what was deleted stay for an hour only.
    await logs.segments.deleteMany({ goneAt: { $exists: true } })
    now = 11 * 60_000
    expect(await mine.append('t', 2, [sampleSegment(1)])).toMatchObject({ ok: false, head: { lastSeq: 2 } })
    await client.close()
  })

  describe('opening', () => {
    const refused = (target: string, code: string, message: RegExp) =>
      expect(openMongoStore(target)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })

    it('refuses a URL that is none, and one where nobody listens, without showing the password', async () => {
      await refused('mongodb://', 'STORE_UNAVAILABLE', /^this is no URL of MongoDB: /)
      const nobody = createServer().listen(0, '127.0.0.1')
      await once(nobody, 'listening')
      const { port } = nobody.address() as AddressInfo
      nobody.close()
      const target = `mongodb://user:secret@127.0.0.1:${port}/keruta?serverSelectionTimeoutMS=200`
      await refused(
        target,
        'STORE_UNAVAILABLE',
        new RegExp(`^MongoDB at mongodb://127.0.0.1:${port}/keruta cannot be used: .*ECONNREFUSED`),
      )
    })

    // A real one has a primary.
    it.skipIf(kind.isReal)('refuses a replica set without a primary', async () => {
      const options = '?replicaSet=rs0&serverSelectionTimeoutMS=200'
      await refused(server.url('keruta', options), 'STORE_UNAVAILABLE', /has no primary: start a majority/)
    })

    it('refuses a database with other data, and changes nothing there', async () => {
      await inDatabase(url, db => db.collection('orders').insertOne({ n: 1 }))
      await refused(url, 'CONFLICT', /holds other data \(orders\): name one of its own/)
      const names = await inDatabase(url, db => db.listCollections().toArray())
      expect(names.map(({ name }) => name).filter(name => !name.startsWith('system.'))).toEqual(['orders'])
    })

    it('refuses a database of a newer version', async () => {
      await (await openMongoStore(url)).close()
      await inDatabase(url, db => db.collection('keruta').updateOne({}, { $set: { version: 99 } }))
      await refused(url, 'CONFLICT', /has version 99, made by a newer keruta; .* Start the newer keruta/)
    })
  })
})

/** Lines `line firstSeq` … of a log. */
function sampleSegmentFrom(firstSeq: number, count: number) {
  return sampleSegment(count, 'line', undefined, undefined, firstSeq)
}

async function inDatabase<T>(url: string, work: (db: ReturnType<MongoClient['db']>) => Promise<T>) {
  const client = await MongoClient.connect(url)
  try {
    return (await work(client.db())) as NonNullable<Awaited<T>>
  } finally {
    await client.close()
  }
}
