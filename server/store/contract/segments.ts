import { describe, expect, it } from 'vitest'
import type { NewSegment, SegmentHeader, Store } from '../store.ts'
import { replacementContract } from './replacement.ts'
import { readMessages, sampleSegment, streamSegment } from './samples.ts'

/** Lines are appended in one order, read by position, and counted. */
export function segmentContract(store: () => Store, reopen: () => Promise<Store>): void {
  const segments = () => store().segments
  const firstSeqs = (headers: SegmentHeader[]) => headers.map(({ firstSeq }) => firstSeq)
  const noCounts = new Array<number>(15).fill(0)

  describe('appending', () => {
    it('gives each line the next seq and keeps bodies and summaries as they were', async () => {
      const first = sampleSegment(3, 'a')
      const second = sampleSegment(2, 'b', 1_000, 3 + 8)
      expect(await segments().append('t', 1, [first, second])).toEqual({ ok: true, firstSeq: 1 })
      expect(await segments().append('t', 6, [sampleSegment(1, 'c')])).toEqual({ ok: true, firstSeq: 6 })
      const headers = await segments().headers('t', { order: 'asc', limit: 10 })
      expect(firstSeqs(headers)).toEqual([1, 4, 6])
      expect(headers[1]).toEqual({
        ...second.summary,
        taskId: 't',
        firstSeq: 4,
        codec: 'raw',
        storedBytes: second.body.length,
      })
      const [stored] = await segments().bodies('t', [4])
      expect(Buffer.from(stored!.body).equals(second.body)).toBe(true)
      expect((await readMessages(segments(), 't')).messages).toEqual([
        'a 1',
        'a 2',
        'a 3',
        'b 1',
        'b 2',
        'c 1',
      ])
    })

    it('keeps a body that is a slice of a larger memory, and leaves that memory alone', async () => {
      const { body, summary } = sampleSegment(4)
      const memory = Buffer.alloc(body.length + 100, 0x55)
      memory.set(body, 50)
      await segments().append('t', 1, [{ body: memory.subarray(50, 50 + body.length), summary }])
      const [stored] = await segments().bodies('t', [1])
      expect(Buffer.from(stored!.body).equals(body)).toBe(true)
      expect(memory.length).toBe(body.length + 100)
    })

    it('tells who expects a wrong seq where the log stands, and keeps nothing of it', async () => {
      await segments().append('t', 1, [streamSegment('s', 0, 3)])
      const result = await segments().append('t', 3, [streamSegment('s', 3, 1), streamSegment('s', 4, 1)])
      expect(result).toEqual({
        ok: false,
        appended: 0,
        head: { lastSeq: 3, streams: new Map([['s', { n: 3 }]]) },
      })
      expect((await segments().head('t')).lastSeq).toBe(3)
      expect((await readMessages(segments(), 't')).seqs).toEqual([1, 2, 3])
    })

    it('has one winner among 20 racers for a seq, and all get in by trying again', async () => {
      let wins = 0
      const race = async (racer: number) => {
        for (let next = 1; ; ) {
          const result = await segments().append('t', next, [streamSegment(`racer-${racer}`, 0, 2)])
          if (result.ok) return wins++
          next = result.head.lastSeq + 1
        }
      }
      await Promise.all(Array.from({ length: 20 }, (_, racer) => race(racer)))
      expect(wins).toBe(20)
      const { seqs, messages } = await readMessages(segments(), 't')
      expect(seqs).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
      expect(new Set(messages).size).toBe(40)
      expect((await segments().head('t')).streams.size).toBe(20)
    })

    it('keeps tasks apart, many at once', async () => {
      const tasks = Array.from({ length: 30 }, (_, at) => `task-${at}`)
      await Promise.all(
        tasks.map((taskId, at) => segments().append(taskId, 1, [sampleSegment(at + 1, taskId)])),
      )
      const totals = await segments().totals(tasks)
      expect(tasks.map(taskId => totals.get(taskId)?.lines)).toEqual(tasks.map((_, at) => at + 1))
      expect((await readMessages(segments(), 'task-2')).messages).toEqual([
        'task-2 1',
        'task-2 2',
        'task-2 3',
      ])
    })
  })

  describe('the head', () => {
    it('is the same of many tasks at once', async () => {
      await segments().append('a', 1, [streamSegment('s', 0, 3), sampleSegment(2, 'x')])
      await segments().endStream('a', 's', 5)
      for (let n = 0; n < 70; n++) await segments().append('b', n + 1, [streamSegment('s', n, 1)])
      const ids = ['a', 'b', 'never']
      const heads = await segments().heads(ids)
      expect([...heads.keys()].sort()).toEqual(ids)
      for (const id of ids) expect(heads.get(id)).toEqual(await segments().head(id))
      expect(heads.get('b')).toEqual({ lastSeq: 70, streams: new Map([['s', { n: 70 }]]) })
      expect(await segments().heads([])).toEqual(new Map())
    })

    it('is 0 without streams for a task that was never written to', async () => {
      expect(await segments().head('nobody')).toEqual({ lastSeq: 0, streams: new Map() })
    })

    it("knows each stream's highest line and announced end, over a restart too", async () => {
      await segments().append('t', 1, [
        streamSegment('a', 0, 2),
        streamSegment('b', 0, 1),
        streamSegment('a', 2, 3),
      ])
      await segments().append('t', 7, [sampleSegment(1)])
      await segments().endStream('t', 'a', 5)
      await segments().endStream('t', 'never-written', 0)
      const head = {
        lastSeq: 7,
        streams: new Map([
          ['a', { n: 5, endN: 5 }],
          ['b', { n: 1 }],
          ['never-written', { n: 0, endN: 0 }],
        ]),
      }
      expect(await segments().head('t')).toEqual(head)
      await reopen()
      expect(await segments().head('t')).toEqual(head)
      await segments().append('t', 8, [streamSegment('b', 1, 1)])
      expect((await segments().head('t')).streams.get('b')).toEqual({ n: 2 })
    })
  })

  describe('headers', () => {
    it('are found by any seq that they hold, from both sides', async () => {
      await segments().append('t', 1, [
        sampleSegment(3),
        sampleSegment(3),
        sampleSegment(3),
        sampleSegment(3),
      ])
      const find = async (range: {
        after?: number
        before?: number
        order?: 'asc' | 'desc'
        limit?: number
      }) => firstSeqs(await segments().headers('t', { order: 'asc', limit: 10, ...range }))
      expect(await find({})).toEqual([1, 4, 7, 10])
      expect(await find({ order: 'desc' })).toEqual([10, 7, 4, 1])
      expect(await find({ after: 3 })).toEqual([4, 7, 10])
      expect(await find({ after: 4 })).toEqual([4, 7, 10])
      expect(await find({ after: 6 })).toEqual([7, 10])
      expect(await find({ after: 12 })).toEqual([])
      expect(await find({ before: 1 })).toEqual([])
      expect(await find({ before: 2 })).toEqual([1])
      expect(await find({ before: 4 })).toEqual([1])
      expect(await find({ after: 5, before: 8 })).toEqual([4, 7])
      expect(await find({ after: 1, limit: 2 })).toEqual([1, 4])
      expect(await find({ before: 12, order: 'desc', limit: 2 })).toEqual([10, 7])
    })

    it('and bodies of unknown tasks and positions are none', async () => {
      await segments().append('t', 1, [sampleSegment(3)])
      expect(await segments().headers('nobody', { order: 'asc', limit: 10 })).toEqual([])
      expect(await segments().bodies('t', [2, 1, 99])).toHaveLength(1)
      expect(await segments().bodies('nobody', [1])).toEqual([])
    })
  })

  describe('totals', () => {
    it('are the sums of what is stored', async () => {
      const parts: NewSegment[] = [sampleSegment(3, 'a', 5, 1), sampleSegment(2, 'b', 5, 3 + 8)]
      await segments().append('t', 1, parts)
      const counts = [...noCounts]
      counts[1] = 3
      counts[8] = 2
      const bytes = (of: (part: NewSegment) => number) => parts.reduce((sum, part) => sum + of(part), 0)
      const expected = {
        firstSeq: 1,
        lastSeq: 5,
        lines: 5,
        textBytes: bytes(part => part.summary.textBytes),
        storedBytes: bytes(part => part.body.length),
        counts,
      }
      const none = { firstSeq: 0, lastSeq: 0, lines: 0, textBytes: 0, storedBytes: 0, counts: noCounts }
      const both = new Map([
        ['t', expected],
        ['nobody', none],
      ])
      expect(await segments().totals(['t', 'nobody'])).toEqual(both)
      await reopen()
      expect(await segments().totals(['t', 'nobody'])).toEqual(both)
    })
  })

  describe('recent', () => {
    it('walks the headers of all tasks, the newest first, with a cursor that loses and repeats none', async () => {
      const times: [taskId: string, at: number][] = [
        ['a', 1000],
        ['b', 3000],
        ['a', 3000],
        ['a', 3000],
        ['c', 2000],
        ['b', 5000],
      ]
      const next = new Map<string, number>()
      for (const [taskId, at] of times) {
        const seq = next.get(taskId) ?? 1
        await segments().append(taskId, seq, [sampleSegment(1, 'x', at)])
        next.set(taskId, seq + 1)
      }
      const order = ['b2', 'a3', 'a2', 'b1', 'c1', 'a1']
      const name = (header: SegmentHeader) => `${header.taskId}${header.firstSeq}`
      for (const limit of [1, 2, 6]) {
        const found: SegmentHeader[] = []
        for (;;) {
          const page = await segments().recent({ cursor: found.at(-1), limit })
          found.push(...page)
          if (page.length < limit) break
        }
        expect(found.map(name)).toEqual(order)
      }
      const find = async (from?: number, to?: number) =>
        (await segments().recent({ from, to, limit: 10 })).map(name)
      expect(await find(3000)).toEqual(['b2', 'a3', 'a2', 'b1'])
      expect(await find(undefined, 3000)).toEqual(['c1', 'a1'])
      expect(await find(2000, 3001)).toEqual(['a3', 'a2', 'b1', 'c1'])
    })
  })

  replacementContract(store, reopen)
}
