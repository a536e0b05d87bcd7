import { isUtf8 } from 'node:buffer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { SegmentReader } from '#server/store/store.ts'
import { openTestStore, type TestStore } from '#server/test/log-store.ts'
import { scan } from './scan.ts'
import { Turns } from './turns.ts'

let testStore: TestStore
beforeAll(async () => {
  testStore = await openTestStore()
})
afterAll(() => testStore.close())

/** Puts two neighbours into one segment. */
async function merge(taskId: string, first: number, second: number): Promise<void> {
  const { segments } = testStore.store
  const writer = new SegmentWriter()
  for (const { body } of await segments.bodies(taskId, [first, second])) writer.addRange(new Segment(body))
  const body = writer.finish()
  const { summary } = checkSegment(body, isUtf8)
  const old = [first, second].map(firstSeq => ({ firstSeq, count: 5 }))
  if (!(await segments.replace(taskId, old, [{ firstSeq: first, summary, codec: 'raw', body }])))
    throw new Error('not merged')
}

test.each(['asc', 'desc'] as const)(
  'each line is seen once where segments are merged under the reader, %s',
  async order => {
    const taskId = `merged-${order}`
    for (let part = 0; part < 40; part++)
      await testStore.append(
        taskId,
        Array.from({ length: 5 }, (_, line) => ({ message: `${part}.${line}` })),
      )
    const { segments } = testStore.store
    const pairs = Array.from({ length: 20 }, (_, pair) => pair * 10 + 1)
    const reader: SegmentReader = {
      ...segments,
      async bodies(id, firstSeqs) {
        const first = order === 'asc' ? pairs.shift() : pairs.pop()
        if (first !== undefined) await merge(taskId, first, first + 5)
        return segments.bodies(id, firstSeqs)
      },
    }
    const seen: number[] = []
    for await (const piece of scan({ reader, turn: new Turns().begin() }, taskId, { order }, () => true)) {
      const lines = Array.from(
        { length: piece.to - piece.from },
        (_, line) => piece.header.firstSeq + piece.from + line,
      )
      seen.push(...(order === 'asc' ? lines : lines.reverse()))
    }
    const all = Array.from({ length: 200 }, (_, index) => index + 1)
    expect(seen).toEqual(order === 'asc' ? all : all.reverse())
  },
)

test('a scan within bounds opens and gives those lines alone', async () => {
  for (let part = 0; part < 6; part++)
    await testStore.append(
      'bounds',
      Array.from({ length: 10 }, () => ({ message: '' })),
      part % 2 ? 'zstd' : 'raw',
    )
  const context = { reader: testStore.store.segments, turn: new Turns().begin() }
  const seen: [number, number, number][] = []
  for await (const { header, from, to } of scan(
    context,
    'bounds',
    { after: 14, before: 42, order: 'asc' },
    () => true,
  ))
    seen.push([header.firstSeq, from, to])
  expect(seen).toEqual([
    [11, 4, 10],
    [21, 0, 10],
    [31, 0, 10],
    [41, 0, 1],
  ])
})

test('long work takes turns, and new work begins between two turns', async () => {
  const turns = new Turns()
  const order: string[] = []
  let stop = false
  const long = async (name: string) => {
    const turn = turns.begin()
    while (!stop) {
      const until = performance.now() + 9
      while (performance.now() < until);
      order.push(name)
      await turn()
    }
  }
  const both = [long('a'), long('b')]
  while (order.length < 8) await new Promise(resolve => setImmediate(resolve))
  stop = true
  await Promise.all(both)
  const switches = order.filter((name, at) => at > 0 && name !== order[at - 1]).length
  expect(switches).toBeGreaterThanOrEqual(order.length - 2)
})
