import { describe, expect, it } from 'vitest'
import { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { NewSegment, SegmentHeader, Store } from '../store.ts'
import { readMessages, sampleSegment, streamSegment } from './samples.ts'

/** Segments are merged and removed under the eyes of readers. */
export function replacementContract(store: () => Store, reopen: () => Promise<Store>): void {
  const segments = () => store().segments
  const all = () => segments().headers('t', { order: 'asc', limit: 10_000 })

  /** As raw segments, so that any reader of the contract can open them. */
  async function merge(headers: SegmentHeader[]) {
    const bodies = await segments().bodies(
      't',
      headers.map(({ firstSeq }) => firstSeq),
    )
    if (bodies.length < headers.length) return false
    const writer = new SegmentWriter()
    for (const { body } of bodies) writer.addRange(new Segment(body))
    const body = writer.finish()
    const { summary } = checkSegment(body, () => true)
    return segments().replace('t', headers, [{ firstSeq: headers[0]!.firstSeq, summary, codec: 'raw', body }])
  }

  const fill = (count: number, lines = 3) => {
    const parts = Array.from({ length: count }, (_, at): NewSegment => sampleSegment(lines, `part ${at}`))
    return segments().append('t', 1, parts)
  }

  describe('replacing', () => {
    it('puts one segment in the place of several: the same lines, the same totals, other headers', async () => {
      await fill(4)
      const before = await readMessages(segments(), 't')
      const totals = (await segments().totals(['t'])).get('t')!
      const headers = await all()
      expect(await merge(headers.slice(1, 3))).toBe(true)
      expect((await all()).map(({ firstSeq, count }) => [firstSeq, count])).toEqual([
        [1, 3],
        [4, 6],
        [10, 3],
      ])
      await reopen()
      expect(await readMessages(segments(), 't')).toEqual(before)
      const { storedBytes, ...sums } = (await segments().totals(['t'])).get('t')!
      expect(sums).toEqual({ ...totals, storedBytes: undefined })
      expect(storedBytes).toBe((await all()).reduce((sum, header) => sum + header.storedBytes, 0))
    })

    it('keeps the codec', async () => {
      await fill(1)
      const [header] = await all()
      const body = new Uint8Array([1, 2, 3])
      await segments().replace('t', [header!], [{ firstSeq: 1, summary: header!, codec: 'zstd', body }])
      expect(await segments().bodies('t', [1])).toEqual([{ firstSeq: 1, codec: 'zstd', body }])
      expect((await all())[0]).toEqual({ ...header, codec: 'zstd', storedBytes: 3 })
    })

    it('changes nothing where one of the old is gone, or holds other lines by now', async () => {
      await fill(3)
      const headers = await all()
      expect(await merge(headers.slice(0, 2))).toBe(true)
      const merged = await all()
      expect(await segments().replace('t', headers.slice(1), [])).toBe(false)
      expect(await segments().replace('t', [headers[0]!], [])).toBe(false)
      expect(await all()).toEqual(merged)
      expect(await segments().replace('nobody', headers, [])).toBe(false)
    })

    it('by fewer lines deletes them, and seq goes on where it was', async () => {
      await fill(2)
      const [first] = await all()
      expect(await segments().replace('t', [first!], [])).toBe(true)
      expect((await segments().totals(['t'])).get('t')).toMatchObject({ firstSeq: 4, lastSeq: 6, lines: 3 })
      expect(await segments().append('t', 7, [sampleSegment(1)])).toEqual({ ok: true, firstSeq: 7 })
    })

    it('shows each line once to a reader in the middle, while lines are appended', async () => {
      await fill(60, 5)
      let merging = true
      const reader = async () => {
        do {
          const { seqs } = await readMessages(segments(), 't')
          expect(seqs).toEqual(seqs.map((_, at) => at + 1))
          expect(seqs.length).toBeGreaterThanOrEqual(300)
        } while (merging)
      }
      const merger = async () => {
        while ((await all()).length > 1) {
          const headers = await all()
          for (let at = 0; at + 1 < headers.length; at += 2) await merge(headers.slice(at, at + 2))
        }
        merging = false
      }
      const writer = async () => {
        for (let next = 301; next <= 320; next++)
          await segments().append('t', next, [sampleSegment(1, `late ${next}`)])
      }
      await Promise.all([reader(), merger(), writer()])
      expect((await readMessages(segments(), 't')).seqs).toHaveLength(320)
    })
  })

  describe('removing', () => {
    it('takes whole segments below a seq, counts their lines, and keeps the rest', async () => {
      await fill(3)
      expect(await segments().remove('t', 6)).toBe(3)
      expect((await all()).map(({ firstSeq }) => firstSeq)).toEqual([4, 7])
      expect((await segments().totals(['t'])).get('t')).toMatchObject({ firstSeq: 4, lastSeq: 9, lines: 6 })
      expect(await segments().remove('t', 6)).toBe(0)
    })

    it('of everything leaves the head, so that seq goes on and a resent line is known', async () => {
      await segments().append('t', 1, [streamSegment('s', 0, 3)])
      expect(await segments().remove('t')).toBe(3)
      expect(await all()).toEqual([])
      expect(await segments().recent({ limit: 10 })).toEqual([])
      await reopen()
      expect(await segments().head('t')).toEqual({ lastSeq: 3, streams: new Map([['s', { n: 3 }]]) })
      expect((await segments().totals(['t'])).get('t')).toEqual({
        firstSeq: 0,
        lastSeq: 3,
        lines: 0,
        textBytes: 0,
        storedBytes: 0,
        counts: new Array(15).fill(0),
      })
      expect(await segments().append('t', 4, [sampleSegment(1)])).toEqual({ ok: true, firstSeq: 4 })
      expect((await segments().totals(['t'])).get('t')).toMatchObject({ firstSeq: 4, lines: 1 })
    })

    it('takes many segments while others append, and none that comes after the call', async () => {
      await fill(2000, 1)
      const removing = segments().remove('t')
      for (let next = 2001; next <= 2010; next++) await segments().append('t', next, [sampleSegment(1)])
      expect(await removing).toBe(2000)
      expect((await segments().totals(['t'])).get('t')).toMatchObject({
        firstSeq: 2001,
        lastSeq: 2010,
        lines: 10,
      })
    })

    it('of an unknown task is nothing', async () => {
      expect(await segments().remove('nobody')).toBe(0)
    })
  })

  describe('fragmented', () => {
    it('names the tasks with many uncompressed segments, the most first', async () => {
      for (const [taskId, count] of [
        ['few', 1],
        ['many', 5],
        ['some', 3],
      ] as const)
        await segments().append(
          taskId,
          1,
          Array.from({ length: count }, () => sampleSegment(1)),
        )
      expect(await segments().fragmented(3, 10)).toEqual(['many', 'some'])
      expect(await segments().fragmented(1, 1)).toEqual(['many'])
      await segments().remove('many')
      expect(await segments().fragmented(1, 10)).toEqual(['some', 'few'])
    })
  })
}
