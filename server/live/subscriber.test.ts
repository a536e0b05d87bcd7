import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogFilter } from '#protocol/log-filter.ts'
import { Segment } from '#protocol/segment.ts'
import type { EntryExtra } from '#protocol/segment-layout.ts'
import { SegmentWriter, sliceSegment } from '#protocol/segment-writer.ts'
import type { ReadAnswer } from '#server/logs/queries.ts'
import { LocalBus } from './bus/local-bus.ts'
import { Hub } from './hub.ts'
import { LogBatch } from './log-batch.ts'
import { StoredReads } from './stored-reads.ts'
import { type Sink, Subscriber, type SubscriberOptions } from './subscriber.ts'

/** A log in memory, whose reads answer when the test says so. */
class ModelLog {
  batches: LogBatch[] = []
  readonly #segments = new Map<LogBatch, Segment>()
  #reads: (() => void)[] = []

  get lastSeq(): number {
    return this.batches.at(-1)?.lastSeq ?? 0
  }

  append(lines: number, extra?: EntryExtra): LogBatch {
    const writer = new SegmentWriter()
    for (let index = 0; index < lines; index++)
      writer.addString(`line ${this.lastSeq + index + 1}`, 1, 1, 0, extra)
    const segment = new Segment(writer.finish())
    const batch = new LogBatch('t', this.lastSeq + 1, segment)
    this.#segments.set(batch, segment)
    this.batches.push(batch)
    return batch
  }

  read = (_: string, __: LogFilter, after: number): Promise<ReadAnswer> =>
    new Promise(resolve => {
      this.#reads.push(() => {
        const found = this.batches.find(batch => batch.lastSeq > after)
        if (!found) return resolve({ segments: [], cursor: after, lastSeq: this.lastSeq })
        const firstSeq = Math.max(found.firstSeq, after + 1)
        const { bytes } = sliceSegment(this.#segments.get(found)!, firstSeq - found.firstSeq)
        resolve({ segments: [{ firstSeq, bytes }], cursor: found.lastSeq, lastSeq: this.lastSeq })
      })
    })

  /** All segments. */
  stored(): Segment[] {
    return [...this.#segments.values()]
  }

  async answerReads(): Promise<void> {
    for (const answer of this.#reads.splice(0)) answer()
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

/** What a reader has seen: each seq once, or as part of an announced gap. */
class Reader implements Sink {
  open = true
  seen: number[] = []
  gaps: [number, number][] = []
  liveAt: number | undefined
  writable = () => this.open
  batch = (batch: LogBatch) => void this.seen.push(...batch.entries.map(({ seq }) => seq))
  entries = (entries: { seq: number }[]) => void this.seen.push(...entries.map(({ seq }) => seq))
  gap = (from: number, to: number) => {
    this.gaps.push([from, to])
    for (let seq = from; seq <= to; seq++) this.seen.push(seq)
  }
  live = (seq: number) => {
    this.liveAt = seq
  }
  failed: Sink['failed'] = error => {
    throw error
  }
}

function reading(
  log: ModelLog,
  after: number,
  options: Partial<
    Pick<SubscriberOptions, 'maxQueueBytes' | 'maxPerSecond' | 'realtime' | 'patienceMs' | 'now'>
  > = {},
) {
  const reader = new Reader()
  const subscriber = new Subscriber({
    taskId: 't',
    filter: {},
    after,
    realtime: true,
    maxQueueBytes: 1024 * 1024,
    patienceMs: () => 0,
    now: () => 0,
    maxPerSecond: 0,
    ...options,
    sink: reader,
    reads: new StoredReads(log),
    onGap: () => {},
    onSent: () => {},
    onClose: () => {},
  })
  subscriber.start()
  return { reader, subscriber }
}

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

describe('A reader', () => {
  test('sees every line once and in order, or is told of the gap, however commits, reads and its own slowness interleave', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), lines: fc.integer({ min: 1, max: 5 }) }),
      fc.constant({ do: 'lose' as const }),
      fc.constant({ do: 'compare' as const }),
      fc.constant({ do: 'read' as const }),
      fc.constant({ do: 'stall' as const }),
      fc.constant({ do: 'drain' as const }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 12 }),
        fc.nat({ max: 12 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(0, 1),
        fc.array(step, { maxLength: 40 }),
        async (stored, from, maxQueueBytes, patienceMs, steps) => {
          const log = new ModelLog()
          for (let lines = stored; lines > 0; lines -= 3) log.append(Math.min(lines, 3))
          const after = Math.min(from, log.lastSeq)
          const { reader, subscriber } = reading(log, after, { maxQueueBytes, patienceMs: () => patienceMs })
          for (const action of steps) {
            if (action.do === 'append') subscriber.offer(log.append(action.lines))
            // A message of another server that never came.
            else if (action.do === 'lose') log.append(1)
            else if (action.do === 'compare') subscriber.reached(log.lastSeq)
            else if (action.do === 'read') await log.answerReads()
            else {
              reader.open = action.do === 'drain'
              if (reader.open) subscriber.drained()
            }
          }
          reader.open = true
          for (let turn = 0; turn < 60; turn++) {
            subscriber.drained()
            subscriber.reached(log.lastSeq)
            await log.answerReads()
          }
          expect(reader.seen).toEqual(range(after + 1, log.lastSeq))
          if (patienceMs > 0) expect(reader.gaps).toEqual([])
          subscriber.close()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('that keeps up gets a live batch within the call that publishes it', async () => {
    const log = new ModelLog()
    const { reader, subscriber } = reading(log, 0)
    await log.answerReads()
    subscriber.offer(log.append(2))
    expect(reader.seen).toEqual([1, 2])
  })

  test('that is told of lines which no batch brought gets them from the store', async () => {
    const log = new ModelLog()
    const { reader, subscriber } = reading(log, 0)
    await log.answerReads()
    log.append(2)
    subscriber.reached(2)
    for (let turn = 0; turn < 3; turn++) await log.answerReads()
    expect(reader.seen).toEqual([1, 2])
  })

  test('gets a burst that is more than its queue whole, from the store, and is live again after it', async () => {
    const log = new ModelLog()
    let now = 0
    const { reader, subscriber } = reading(log, 0, {
      maxQueueBytes: 5000,
      patienceMs: () => 100,
      now: () => now,
    })
    await log.answerReads()
    reader.open = false
    for (let batch = 0; batch < 100; batch++) subscriber.offer(log.append(1))
    reader.open = true
    now = 99
    subscriber.drained()
    for (let turn = 0; turn < 110; turn++) await log.answerReads()
    expect(reader.seen).toEqual(range(1, 100))
    subscriber.offer(log.append(1))
    expect(reader.seen).toEqual(range(1, 101))
    expect(reader.gaps).toEqual([])
  })

  test('that stalls keeps no more than its queue, and is told the range that it lost', async () => {
    const log = new ModelLog()
    const { reader, subscriber } = reading(log, 0, { maxQueueBytes: 5000 })
    await log.answerReads()
    reader.open = false
    for (let batch = 0; batch < 100; batch++) subscriber.offer(log.append(1))
    reader.open = true
    subscriber.drained()
    expect(reader.gaps).toHaveLength(1)
    expect(reader.gaps[0]![0]).toBe(1)
    expect(reader.gaps[0]![1]).toBeGreaterThan(50)
    expect(reader.seen).toEqual(range(1, 100))
  })

  test('that stalls keeps no more than its queue, also where the lines are short and their metadata is not', async () => {
    const log = new ModelLog()
    const { reader, subscriber } = reading(log, 0, { maxQueueBytes: 1_000_000 })
    await log.answerReads()
    reader.open = false
    for (let batch = 0; batch < 100; batch++)
      subscriber.offer(log.append(1, { metadata: { text: 'x'.repeat(60_000) } }))
    reader.open = true
    subscriber.drained()
    expect(reader.gaps[0]![1]).toBeGreaterThan(80)
    expect(reader.seen).toEqual(range(1, 100))
  })

  test('is told where what is stored cannot be shown, and the server goes on', async () => {
    const log = new ModelLog()
    log.append(1)
    const { reader, subscriber } = reading(log, 0)
    const failures: unknown[] = []
    reader.failed = error => void failures.push(error)
    reader.batch = () => {
      throw new RangeError('too deep')
    }
    await log.answerReads()
    await expect.poll(() => failures).toEqual([new RangeError('too deep')])
    subscriber.close()

    const follower = reading(log, 1)
    follower.reader.failed = error => void failures.push(error)
    follower.reader.batch = reader.batch
    for (let turn = 0; turn < 3; turn++) await log.answerReads()
    follower.subscriber.offer(log.append(1))
    expect(failures).toHaveLength(2)
    follower.subscriber.close()
  })

  test('that wants the stored part only is told the end and gets nothing live', async () => {
    const log = new ModelLog()
    log.append(3)
    const { reader, subscriber } = reading(log, 0, { realtime: false })
    for (let turn = 0; turn < 3; turn++) await log.answerReads()
    subscriber.offer(log.append(1))
    expect(reader).toMatchObject({ seen: [1, 2, 3], liveAt: 3 })
  })

  test('gets no more deliveries a second than allowed, and still every line', async () => {
    const log = new ModelLog()
    const { reader, subscriber } = reading(log, 0, { maxPerSecond: 50 })
    await log.answerReads()
    let deliveries = 0
    reader.batch = batch => {
      deliveries++
      reader.seen.push(...batch.entries.map(({ seq }) => seq))
    }
    for (let batch = 0; batch < 51; batch++) subscriber.offer(log.append(1))
    expect(deliveries).toBeLessThanOrEqual(51)
    await expect.poll(() => reader.seen.length).toBe(51)
    expect(reader.seen).toEqual(range(1, 51))
  })
})

describe('Readers that stand at one place', () => {
  const answer = { cursor: 2, lastSeq: 9 }

  test('share what they read, but not what is the end for now', async () => {
    const log = new ModelLog()
    log.append(2)
    const { bytes } = log.stored()[0]!
    let asked = 0
    const head = { cursor: 9, lastSeq: 9 }
    const stored = new StoredReads({
      read: async (_, __, after) => {
        asked++
        return after === 0 ? { segments: [{ firstSeq: 1, bytes }], ...answer } : head
      },
    })
    const [first, second] = await Promise.all([stored.read('t', {}, 0, true), stored.read('t', {}, 0, true)])
    expect([asked, second.batches[0]]).toEqual([1, first.batches[0]])
    expect(second.batches).not.toBe(first.batches)
    expect((await stored.read('t', {}, 0, true)).batches[0]).toBe(first.batches[0])
    expect((await stored.read('t', {}, 0, false)).batches[0]).not.toBe(first.batches[0])
    for (let time = 0; time < 2; time++) await stored.read('t', {}, 2, true)
    expect(asked).toBe(4)
  })

  test('ask again where a read failed', async () => {
    let asked = 0
    const stored = new StoredReads({
      read: async () => {
        if (asked++ === 0) throw new Error('away')
        return { segments: [], ...answer }
      },
    })
    await expect(stored.read('t', {}, 0, true)).rejects.toThrow('away')
    expect(await stored.read('t', {}, 0, true)).toMatchObject(answer)
  })
})

test.each([
  [32, 0],
  [33, 33],
])('Of %i readers of one task that are too slow for a burst, %i are told of a gap', async (readers, told) => {
  const log = new ModelLog()
  const hub = new Hub({
    queries: log,
    bus: new LocalBus(),
    lastSeq: async () => log.lastSeq,
    maxQueueBytes: 5000,
    patienceMs: 60_000,
    maxPerSecond: 0,
    onGap: () => {},
    onSent: () => {},
  })
  const all = Array.from({ length: readers }, () => {
    const sink = new Reader()
    const reader = { taskId: 't', filter: {}, after: 0, realtime: true, sink }
    return { sink, subscriber: hub.subscribe(reader) }
  })
  await log.answerReads()
  for (const { sink } of all) sink.open = false
  for (let lines = 0; lines < 100; lines++) {
    const { firstSeq } = log.append(1)
    hub.publish('t', firstSeq, log.stored().at(-1)!)
  }
  for (const { sink, subscriber } of all) {
    sink.open = true
    subscriber.drained()
  }
  for (let turn = 0; turn < 110; turn++) await log.answerReads()
  for (const { sink } of all) expect(sink.seen).toEqual(range(1, 100))
  expect(all.filter(({ sink }) => sink.gaps.length > 0)).toHaveLength(told)
})
