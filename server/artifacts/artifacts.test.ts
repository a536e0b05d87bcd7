import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { KerutaError } from '#protocol/errors.ts'
import { uuidv7 } from '#protocol/ids.ts'
import { sampleTask } from '#server/store/contract/samples.ts'
import { openStore } from '#server/store/open.ts'
import type { Store } from '#server/store/store.ts'
import { MongoServer, missingMongoServer } from '#server/testing/mongo-server.ts'
import { type Artifacts, createArtifacts } from './artifacts.ts'

const missing = await missingMongoServer()
const MAX_BYTES = 3 * 1024 * 1024
const NOISE = Buffer.alloc(MAX_BYTES + 1)
for (let at = 0; at < NOISE.length; at++) NOISE[at] = ((at + 1) * 2_654_435_761) >>> 13
const DAY_MS = 24 * 3_600_000

artifactTests('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'keruta-artifacts-'))
  const store = await openStore({ kind: 'sqlite', dataDir })
  return { store, drop: () => rm(dataDir, { recursive: true }) }
})

describe.skipIf(missing !== undefined)('over the MongoDB protocol', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await MongoServer.start()
  })
  afterAll(() => server.dispose())
  artifactTests('MongoDB', async () => {
    const store = await openStore({ kind: 'mongodb', url: server.url(`artifacts-${randomUUID()}`) })
    return { store, drop: async () => {} }
  })
})

function artifactTests(kind: string, open: () => Promise<{ store: Store; drop(): Promise<void> }>): void {
  describe(`artifacts in ${kind}`, () => {
    let store: Store
    let drop: () => Promise<void>
    let artifacts: Artifacts
    let now: number
    let changes: string[]
    let taskId = ''
    let tasks = 0
    const serve = (idleMs?: number) =>
      createArtifacts({
        store,
        maxBytes: MAX_BYTES,
        onChange: taskId => changes.push(taskId),
        onReceived: () => {},
        clock: () => now,
        newId: () => uuidv7(),
        idleMs,
      })
    beforeAll(async () => {
      ;({ store, drop } = await open())
      artifacts = serve()
    })
    afterAll(async () => {
      await store.close()
      await drop()
    })
    beforeEach(async () => {
      now = Date.parse('2026-03-01T12:00:00Z')
      changes = []
      taskId = `t${++tasks}`
      await store.tasks.insert(sampleTask(taskId))
    })

    const announced = (path: string, bytes: Buffer) =>
      artifacts.announce(taskId, { path, size: bytes.length, sha256: sha256(bytes), metadata: {} })
    const send = async (path: string, bytes: Buffer) => {
      const { id } = await announced(path, bytes)
      return artifacts.receive(id, { offset: 0, length: bytes.length }, false, chunks(bytes))
    }
    const contentOf = async (id: string) => {
      const artifact = (await artifacts.find(id))!
      return buffer(await artifacts.open(artifact, 0, artifact.size))
    }
    const listed = async () => (await artifacts.list({ taskId, page: 0, size: 100 })).artifacts

    it('are announced, brought, and then whole, with what their bytes tell', async () => {
      const bytes = png(640, 480)
      const before = await announced('plots/loss', bytes)
      expect(before).toMatchObject({
        complete: false,
        contentType: 'application/octet-stream',
        preview: null,
      })
      const after = await artifacts.receive(before.id, { offset: 0 }, false, chunks(bytes))
      expect(after).toMatchObject({
        complete: true,
        contentType: 'image/png',
        preview: { kind: 'image', width: 640, height: 480 },
        sha256: sha256(bytes),
      })
      expect(await listed()).toEqual([{ ...after, receivedBytes: bytes.length }])
      expect(await contentOf(before.id)).toEqual(bytes)
      expect(changes).toEqual([taskId, taskId])
    })

    it('are the same ones when they are announced again, whole or not', async () => {
      const bytes = Buffer.from('hello')
      const first = await announced('a.txt', bytes)
      expect((await announced('a.txt', bytes)).id).toBe(first.id)
      await artifacts.receive(first.id, { offset: 0 }, false, chunks(bytes))
      const again = await artifacts.announce(taskId, {
        path: 'a.txt',
        size: 5,
        sha256: sha256(bytes),
        description: 'now with words',
        metadata: { build: 7 },
      })
      expect(again).toMatchObject({ id: first.id, complete: true, description: 'now with words' })
      expect(await artifacts.find(first.id)).toMatchObject({ metadata: { build: 7 } })
    })

    it('announced without their sha256 are new ones each time, and say it once they are whole', async () => {
      const bytes = noise(1000)
      const announce = () => artifacts.announce(taskId, { path: 'a', size: 1000, metadata: {} })
      const [first, second] = [await announce(), await announce()]
      expect(second.id).not.toBe(first.id)
      const part = { offset: 0, length: 400, total: 1000 }
      await artifacts.receive(second.id, part, true, chunks(bytes.subarray(0, 400)))
      const rest = { offset: 400, length: 600, total: 1000 }
      const done = await artifacts.receive(second.id, rest, true, chunks(bytes.subarray(400)))
      expect(done).toMatchObject({ complete: true, sha256: sha256(bytes) })
    })

    it('may be empty', async () => {
      expect(await send('empty', Buffer.alloc(0))).toMatchObject({ complete: true, size: 0 })
      const direct = await artifacts.put(taskId, { path: 'empty too' }, chunks(Buffer.alloc(0)))
      expect(direct).toMatchObject({ complete: true, size: 0, preview: { kind: 'text' } })
    })

    it('go on after a cut, and what came before it is looked at again', async () => {
      const bytes = noise(3_000_000)
      const { id } = await announced('big', bytes)
      const cut = artifacts.receive(id, { offset: 0, length: bytes.length }, false, chunks(bytes, 1_700_000))
      await expect(cut).rejects.toThrow('the body broke off before its end')
      const { receivedBytes } = await artifacts.view((await artifacts.find(id))!)
      expect(receivedBytes).toBe(1_700_000)
      const wrong = artifacts.receive(
        id,
        { offset: 10, length: 5, total: bytes.length },
        true,
        chunks(noise(5)),
      )
      await expect(wrong).rejects.toMatchObject({ code: 'OUT_OF_ORDER', receivedBytes })
      const rest = { offset: receivedBytes, total: bytes.length }
      const done = await artifacts.receive(id, rest, true, chunks(bytes.subarray(receivedBytes)))
      expect(done.complete).toBe(true)
      expect((await contentOf(id)).equals(bytes)).toBe(true)
    })

    it('may come part by part', async () => {
      const bytes = noise(1000)
      const { id } = await announced('parts', bytes)
      for (const [offset, end] of [
        [0, 1],
        [1, 400],
        [400, 1000],
      ] as const) {
        const place = { offset, length: end - offset, total: 1000 }
        const { complete } = await artifacts.receive(id, place, true, chunks(bytes.subarray(offset, end)))
        expect(complete).toBe(end === 1000)
      }
      expect(await contentOf(id)).toEqual(bytes)
    })

    it('are whole by a last word where all bytes were there before', async () => {
      const bytes = noise(100)
      const { id } = await announced('a', bytes)
      await store.blobs.write(id, 0, chunks(bytes))
      const last = { offset: 100, length: 0, total: 100 }
      expect((await artifacts.receive(id, last, true, chunks(Buffer.alloc(0)))).complete).toBe(true)
    })

    it.each([
      ['other bytes of the same length', noise(50).fill(1, 0, 5), 'the bytes have the sha256'],
      ['too few bytes', noise(49), 'the body had 49 bytes, and 50 were announced'],
      ['too many bytes', noise(51), 'the body had more than the 50 bytes'],
    ])('are not kept where %s come', async (_, bytes, message) => {
      const { id } = await announced('a', noise(50))
      const refused = artifacts.receive(id, { offset: 0 }, false, chunks(bytes))
      await expect(refused).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        message: expect.stringContaining(message),
      })
      expect(await listed()).toEqual([])
      expect(await store.blobs.size(id)).toBe(0)
    })

    it('are not kept where a resumed upload turns out to be another file', async () => {
      const { id } = await announced('a', noise(50))
      const part = { offset: 0, length: 20, total: 50 }
      await artifacts.receive(id, part, true, chunks(Buffer.alloc(20)))
      const rest = { offset: 20, length: 30, total: 50 }
      await expect(artifacts.receive(id, rest, true, chunks(noise(50).subarray(20)))).rejects.toThrow(
        'the bytes have the sha256',
      )
      expect(await listed()).toEqual([])
    })

    it('that say another length than was announced are refused before a byte is taken', async () => {
      const bytes = noise(50)
      const { id } = await announced('a', bytes)
      const refused = (place: object, isPart: boolean) =>
        expect(artifacts.receive(id, { offset: 0, ...place }, isPart, chunks(bytes))).rejects.toMatchObject({
          code: 'BAD_REQUEST',
        })
      await refused({ length: 49 }, false)
      await refused({ length: 51 }, false)
      await refused({ length: 10, total: 51 }, true)
      expect(await artifacts.find(id)).toBeDefined()
    })

    it('take the place of older ones of their path, once they are whole', async () => {
      const old = await send('report.txt', Buffer.from('old'))
      const { id } = await announced('report.txt', Buffer.from('new'))
      expect((await listed()).map(({ complete }) => complete)).toEqual([true, false])
      await artifacts.receive(id, { offset: 0 }, false, chunks(Buffer.from('new')))
      expect((await listed()).map(({ id }) => id)).toEqual([id])
      expect(await store.blobs.size(old.id)).toBe(0)
      expect((await send('report.txt', Buffer.from('new'))).id).toBe(id)
    })

    it('announced before a newer one that is whole come too late', async () => {
      const early = await announced('a', Buffer.from('early'))
      await send('a', Buffer.from('late'))
      const refused = artifacts.receive(early.id, { offset: 0 }, false, chunks(Buffer.from('early')))
      await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('brought by several at once are there once, and right', async () => {
      const bytes = noise(300_000)
      const sent = await Promise.all(Array.from({ length: 5 }, () => send('same', bytes)))
      expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
      const left = await listed()
      expect(left).toHaveLength(1)
      expect((await contentOf(left[0]!.id)).equals(bytes)).toBe(true)

      const others = Array.from({ length: 5 }, (_, at) => Buffer.from(`version ${at}`))
      await Promise.allSettled(others.map(bytes => artifacts.put(taskId, { path: 'many' }, chunks(bytes))))
      const many = (await listed()).filter(({ path }) => path === 'many')
      expect(many).toHaveLength(1)
      expect(others.map(String)).toContain(String(await contentOf(many[0]!.id)))
    })

    it('brought through two servers at once are whole when the first of them has all', async () => {
      const bytes = noise(1_500_000)
      const { id } = await announced('a', bytes)
      const body = async function* () {
        yield bytes.subarray(0, 700_000)
        await serve().receive(id, { offset: 0 }, false, chunks(bytes))
        yield bytes.subarray(700_000)
      }
      expect(await artifacts.receive(id, { offset: 0 }, false, body())).toMatchObject({ id, complete: true })
      expect((await contentOf(id)).equals(bytes)).toBe(true)
    })

    it('of a sender that falls silent are free for the next one, which goes on', async () => {
      const bytes = noise(1000)
      const { id } = await announced('a', bytes)
      const impatient = serve(1500)
      const silent = impatient.receive(id, { offset: 0, length: 1000 }, false, stuck(bytes.subarray(0, 600)))
      const place = { offset: 600, length: 400, total: 1000 }
      const next = impatient.receive(id, place, true, chunks(bytes.subarray(600)))
      await expect(silent).rejects.toThrow(/nothing came for 0\.\d seconds/)
      expect((await next).complete).toBe(true)
    })

    it('sent in one call may be of any length up to the limit', async () => {
      const bytes = noise(2_000_000)
      const done = await artifacts.put(taskId, { path: 'out/x.csv', description: 'd' }, chunks(bytes))
      expect(done).toMatchObject({ size: 2_000_000, sha256: sha256(bytes), contentType: 'text/csv' })
      const large = artifacts.put(taskId, { path: 'large' }, chunks(noise(MAX_BYTES + 1)))
      await expect(large).rejects.toMatchObject({
        code: 'TOO_LARGE',
        message: expect.stringContaining("at most 3 MB here (the server's KERUTA_MAX_ARTIFACT_MB)"),
      })
      await expect(announced('large', noise(MAX_BYTES + 1))).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(await listed()).toHaveLength(1)
    })

    it('sent in one call and cut leave nothing, unless their sha256 was said: then they go on', async () => {
      const bytes = noise(1000)
      await expect(artifacts.put(taskId, { path: 'a' }, chunks(bytes, 500))).rejects.toThrow('broke off')
      expect(await listed()).toEqual([])
      const said = { path: 'b', size: 1000, sha256: sha256(bytes) }
      await expect(artifacts.put(taskId, said, chunks(bytes, 500))).rejects.toThrow('broke off')
      const left = await announced('b', bytes)
      expect(await artifacts.view(left)).toMatchObject({ receivedBytes: 500 })
      const rest = { offset: 500, total: 1000 }
      expect((await artifacts.receive(left.id, rest, true, chunks(bytes.subarray(500)))).complete).toBe(true)
    })

    it('deleted while they come are gone', async () => {
      const bytes = noise(400_000)
      const { id } = await announced('a', bytes)
      const body = async function* () {
        yield bytes.subarray(0, 100_000)
        await artifacts.remove(id)
        yield bytes.subarray(100_000)
      }
      const refused = artifacts.receive(id, { offset: 0 }, false, body())
      await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await listed()).toEqual([])
      expect(await store.blobs.size(id)).toBe(0)
    })

    it('go with their task, and none comes after it', async () => {
      const { id } = await send('a', noise(10))
      await announced('b', noise(10))
      await store.tasks.remove({ id: taskId })
      await artifacts.removeOf(taskId)
      expect(await listed()).toEqual([])
      expect(await store.blobs.size(id)).toBe(0)
      await expect(announced('c', noise(10))).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await store.artifacts.count({ taskId })).toBe(0)
    })

    it('never finished are removed a day after somebody last went on with them', async () => {
      const whole = await send('whole', noise(10))
      const bytes = noise(100)
      const { id } = await announced('half', bytes)
      now += DAY_MS - 1
      await artifacts.receive(id, { offset: 0, length: 50, total: 100 }, true, chunks(bytes.subarray(0, 50)))
      now += DAY_MS
      await artifacts.sweep()
      expect(await listed()).toHaveLength(2)
      now += 1
      expect(await artifacts.sweep()).toBeGreaterThan(0)
      expect((await listed()).map(({ id }) => id)).toEqual([whole.id])
      expect(await store.blobs.size(id)).toBe(0)
    })

    it.each([
      ['contentType', { contentType: 'text' }, 'must be a media type'],
      ['contentType', { contentType: 'text/plain; x=\n' }, 'must be a media type'],
      ['metadata', { metadata: { a: 'x'.repeat(70_000) } }, 'is over 65536 characters'],
      ['metadata', { metadata: nested(70) }, 'is nested more than 64 deep'],
      ['metadata', { metadata: { 'a\0': 1 } }, 'holds a NUL character'],
    ])('with a bad %s are refused', async (field, wrong, message) => {
      const input = { path: 'a', size: 1, sha256: sha256(noise(1)), metadata: {}, ...wrong }
      const refusal: KerutaError = await artifacts.announce(taskId, input).then(
        () => Promise.reject(new Error('it was taken')),
        error => error,
      )
      expect(refusal).toBeInstanceOf(KerutaError)
      expect(refusal.errors).toEqual([{ path: field, message: expect.stringContaining(message) }])
    })
  })
}

/** @param cutAt where the connection breaks */
async function* chunks(bytes: Buffer, cutAt = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) {
    const end = Math.min(at + 64 * 1024, cutAt)
    yield bytes.subarray(at, end)
    if (end === cutAt) throw new Error('ECONNRESET')
  }
}

async function* stuck(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
  await new Promise(() => {})
}

function noise(size: number): Buffer {
  return Buffer.from(NOISE.subarray(0, size))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** As much of one as says how large it is. */
function png(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(33)
  bytes.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}

function nested(depth: number): Record<string, unknown> {
  return depth === 0 ? {} : { inner: nested(depth - 1) }
}
