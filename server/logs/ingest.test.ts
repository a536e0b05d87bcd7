import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NewEntry, newEntrySchema } from '#protocol/log.ts'
import type { Segment } from '#protocol/segment.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { openStore } from '#server/store/open.ts'
import type { SegmentStore, Store } from '#server/store/store.ts'
import { createIngest, type Ingest } from './ingest.ts'
import { openBody } from './query/open-body.ts'

let dataDir: string
let store: Store
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'keruta-ingest-'))
  store = await openStore({ kind: 'sqlite', dataDir })
})
afterAll(async () => {
  await store.close()
  await rm(dataDir, { recursive: true, force: true })
})

function ingestInto(
  segments: SegmentStore,
): Ingest & { published: { firstSeq: number; messages: string[] }[] } {
  const published: { firstSeq: number; messages: string[] }[] = []
  const ingest = createIngest({
    segments,
    ensureTask: async () => {},
    publish: (_, firstSeq, segment) => void published.push({ firstSeq, messages: messagesOf(segment) }),
    onCommit: () => {},
    now: () => Date.UTC(2026, 0, 1),
  })
  return { ...ingest, published }
}

function messagesOf(segment: Segment): string[] {
  return Array.from({ length: segment.count }, (_, index) => segment.message(index))
}

async function stored(taskId: string): Promise<string[]> {
  const headers = await store.segments.headers(taskId, { order: 'asc', limit: 10_000 })
  let next = 1
  const messages: string[] = []
  for (const header of headers) {
    expect(header.firstSeq).toBe(next)
    next += header.count
    const [body] = await store.segments.bodies(taskId, [header.firstSeq])
    messages.push(...messagesOf(openBody(body!, header)))
  }
  return messages
}

function segmentOf(from: number, to: number, name = 'line'): Uint8Array {
  const writer = new SegmentWriter()
  for (let n = from; n <= to; n++) writer.addString(`${name} ${n}`, Date.UTC(2026, 0, 1), 1, n)
  return writer.finish()
}

const entry = (message: string): NewEntry => ({ source: 'stdout', level: 'INFO', message })
const lines = (to: number, name = 'line') => Array.from({ length: to }, (_, index) => `${name} ${index + 1}`)

describe('Ingest', () => {
  test('stores a stream once however its segments are repeated and overlap', async () => {
    const ingest = ingestInto(store.segments)
    const ranges = [
      [1, 3],
      [1, 3],
      [2, 5],
      [5, 5],
      [6, 9],
      [4, 12],
      [1, 12],
    ] as const
    const acknowledged = await Promise.all(
      ranges.map(([from, to]) => ingest.appendSegment('overlap', 's', from, segmentOf(from, to))),
    )
    expect(acknowledged.at(-1)).toBe(12)
    expect(await stored('overlap')).toEqual(lines(12))
    expect(ingest.published.flatMap(({ messages }) => messages)).toEqual(lines(12))
  })

  test('refuses lines that came before their turn, and says where to go on', async () => {
    const ingest = ingestInto(store.segments)
    const first = ingest.appendSegment('early', 's', 1, segmentOf(1, 2))
    await expect(ingest.appendSegment('early', 's', 5, segmentOf(5, 6))).rejects.toMatchObject({
      code: 'OUT_OF_ORDER',
      n: 2,
    })
    await first
    await expect(ingest.endStream('early', 's', 6)).rejects.toMatchObject({ code: 'OUT_OF_ORDER', n: 2 })
    expect(await ingest.streamHead('early', 's')).toBe(2)
  })

  test('keeps one order and every line once where two servers and many writers append to one task', async () => {
    const servers = [ingestInto(store.segments), ingestInto(store.segments)]
    const writers = Array.from({ length: 10 }, async (_, writer) => {
      const name = `writer ${writer}`
      for (let n = 1; n <= 60; n += 3) {
        const ingest = servers[(writer + n) % 2]!
        if (writer < 5) await ingest.appendSegment('race', name, n, segmentOf(n, n + 2, name))
        else
          await ingest.appendEntries(
            'race',
            [n, n + 1, n + 2].map(line => entry(`${name} ${line}`)),
          )
      }
    })
    await Promise.all(writers)
    const messages = await stored('race')
    expect(messages).toHaveLength(600)
    for (let writer = 0; writer < 10; writer++) {
      expect(messages.filter(message => message.startsWith(`writer ${writer} `))).toEqual(
        lines(60, `writer ${writer}`),
      )
    }
    const published = servers.flatMap(server => server.published).sort((a, b) => a.firstSeq - b.firstSeq)
    expect(published.flatMap(part => part.messages)).toEqual(messages)
  })

  test('takes on a stream whose first lines went to another server while lines of others were stored here', async () => {
    const away = ingestInto(store.segments)
    let goOn = () => {}
    const held = new Promise<void>(resolve => {
      goOn = resolve
    })
    const here = ingestInto({
      ...store.segments,
      append: async (...given) => {
        const result = await store.segments.append(...given)
        await held
        return result
      },
    })
    const other = here.appendSegment('moved', 'other', 1, segmentOf(1, 1, 'other'))
    await expect.poll(() => stored('moved')).toEqual(lines(1, 'other'))
    await away.appendSegment('moved', 's', 1, segmentOf(1, 3))
    const next = here.appendSegment('moved', 's', 4, segmentOf(4, 5))
    goOn()
    await other
    expect(await next).toBe(5)
    expect(await stored('moved')).toEqual([...lines(1, 'other'), ...lines(5)])
  })

  test('acknowledges nothing that the store did not keep, and goes on when the store does', async () => {
    let broken = true
    const failing: SegmentStore = {
      ...store.segments,
      append: (...given) => (broken ? Promise.reject(new Error('no disk')) : store.segments.append(...given)),
    }
    const ingest = ingestInto(failing)
    await expect(ingest.appendSegment('broken', 's', 1, segmentOf(1, 2))).rejects.toThrow('no disk')
    expect(ingest.published).toEqual([])
    broken = false
    expect(await ingest.appendSegment('broken', 's', 1, segmentOf(1, 2))).toBe(2)
    expect(await stored('broken')).toEqual(lines(2))
  })

  test.each([
    [
      'a message over 64 KiB',
      { message: 'x'.repeat(64 * 1024 + 1) },
      'TOO_LARGE',
      /entries\.1\.message has 65537 bytes/,
    ],
    [
      'metadata over 64 KiB',
      { message: 'x', metadata: { x: 'x'.repeat(64 * 1024) } },
      'TOO_LARGE',
      /entries\.1\.metadata/,
    ],
    [
      'a time before 1970',
      { message: 'x', timestamp: '1969-12-31T23:59:59Z' },
      'BAD_REQUEST',
      /entries\.1\.timestamp is before 1970/,
    ],
  ])('refuses %s, and nothing of its call is stored', async (_, bad, code, message) => {
    const ingest = ingestInto(store.segments)
    const entries = [entry('good'), { ...entry('bad'), ...bad }]
    await expect(ingest.appendEntries('refused', entries)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    await expect(ingest.appendNumbered('refused', 's', 1, entries)).rejects.toMatchObject({ code })
    expect(await stored('refused')).toEqual([])
  })

  test('takes entries that lie years apart, and half a surrogate pair as a replacement character', async () => {
    const ingest = ingestInto(store.segments)
    const times = ['1970-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '9999-12-31T23:59:59Z']
    const { firstSeq, lastSeq } = await ingest.appendEntries(
      'years',
      times.map(timestamp => ({ ...entry('\ud800'), timestamp })),
    )
    expect([firstSeq, lastSeq]).toEqual([1, 3])
    expect(await stored('years')).toEqual(['\ufffd', '\ufffd', '\ufffd'])
  })

  test('refuses metadata nested so deep that nobody could read it again', async () => {
    const ingest = ingestInto(store.segments)
    const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
    const deep = (depth: number) => {
      const writer = new SegmentWriter()
      writer.addString('line 1', 0, 1, 0, { metadata: nested(depth) })
      return writer.finish()
    }
    await expect(ingest.appendSegment('deep', 's', 1, deep(3000))).rejects.toMatchObject({
      code: 'BAD_SEGMENT',
      message: 'the metadata of line 0 is nested over 64 deep',
    })
    expect(newEntrySchema.safeParse({ message: 'x', metadata: nested(100_000) }).error?.issues).toMatchObject(
      [{ path: ['metadata'], message: 'is nested over 64 deep; flatten it, or send it as text' }],
    )
    await ingest.appendSegment('deep', 's', 1, deep(64))
    expect(await stored('deep')).toEqual(['line 1'])
  })

  test('tells where a stream stands, and takes its end, while others write without a pause', async () => {
    let busy = true
    const ingest: Ingest = createIngest({
      segments: store.segments,
      ensureTask: async () => {},
      publish: () =>
        void (busy && ingest.appendEntries('busy', [{ source: 'agent', level: 'INFO', message: 'x' }])),
      onCommit: () => {},
      now: () => Date.UTC(2026, 0, 1),
    })
    await ingest.appendEntries('busy', [{ source: 'agent', level: 'INFO', message: 'x' }])
    await ingest.appendSegment('busy', 's', 1, segmentOf(1, 3))
    expect(await ingest.streamHead('busy', 's')).toBe(3)
    await ingest.endStream('busy', 's', 3)
    busy = false
    await ingest.idle()
    expect((await store.segments.head('busy')).streams.get('s')).toEqual({ n: 3, endN: 3 })
  })

  test('remembers where a log stands when nobody writes, and learns where others have written meanwhile', async () => {
    let looks = 0
    const { segments } = store
    const head = (taskId: string) => {
      looks++
      return segments.head(taskId)
    }
    const [one, other] = [ingestInto({ ...segments, head }), ingestInto(segments)]
    for (const from of [1, 4, 7]) await one.appendSegment('shared', 's', from, segmentOf(from, from + 2))
    expect(looks).toBe(1)

    await other.appendSegment('shared', 's', 10, segmentOf(10, 12))
    await other.appendSegment('shared', 'other', 1, segmentOf(1, 1, 'other'))
    expect(await one.appendSegment('shared', 's', 8, segmentOf(8, 14))).toBe(14)
    await other.appendSegment('shared', 's', 15, segmentOf(15, 15))
    expect(await one.appendSegment('shared', 's', 15, segmentOf(15, 15))).toBe(15)
    await other.appendSegment('shared', 's', 16, segmentOf(16, 16))
    expect(await one.appendSegment('shared', 's', 17, segmentOf(17, 17))).toBe(17)
    expect(await stored('shared')).toEqual([...lines(12), 'other 1', ...lines(17).slice(12)])
  })

  test('refuses a duration without end, which no JSON could tell', async () => {
    const writer = new SegmentWriter()
    writer.addString('x', 0, 1, 0, { durationMs: 12345 })
    const bytes = Buffer.from(
      Buffer.from(writer.finish()).toString('latin1').replace('12345', '1e999'),
      'latin1',
    )
    await expect(ingestInto(store.segments).appendSegment('endless', 's', 1, bytes)).rejects.toMatchObject({
      code: 'BAD_SEGMENT',
      message: 'the extra of line 0 has a field that is unknown or of a wrong type',
    })
  })
})
