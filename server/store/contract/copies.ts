import { describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { readMessages, sampleSegment, streamSegment } from './samples.ts'

/** What another store knows is taken over: segments in their places, heads, the secret, where it came from. */
export function copyContract(store: () => Store, reopen: () => Promise<Store>): void {
  const segments = () => store().segments
  const placed = (firstSeq: number, lines: number) => ({
    firstSeq,
    ...sampleSegment(lines, `at ${firstSeq}`),
    codec: 'raw' as const,
  })

  describe('a copy', () => {
    it('puts segments where they lay, with holes, counts them, and may be repeated', async () => {
      await segments().place('t', [placed(5, 3), placed(11, 2)])
      const once = (await segments().totals(['t'])).get('t')
      await segments().place('t', [placed(5, 3), placed(11, 2), placed(13, 1)])
      expect((await readMessages(segments(), 't')).seqs).toEqual([5, 6, 7, 11, 12, 13])
      expect(once).toMatchObject({ firstSeq: 5, lastSeq: 12, lines: 5 })
      const totals = (await segments().totals(['t'])).get('t')
      expect(totals).toMatchObject({ firstSeq: 5, lastSeq: 13, lines: 6 })
      await reopen()
      expect((await segments().totals(['t'])).get('t')).toEqual(totals)
    })

    it('can be put in again after it was removed', async () => {
      await segments().place('t', [placed(1, 3)])
      expect(await segments().remove('t')).toBe(3)
      await segments().place('t', [placed(1, 3)])
      expect((await readMessages(segments(), 't')).seqs).toEqual([1, 2, 3])
    })

    it('knows of streams and of the last seq what the other store knew, and forgets nothing that it knew', async () => {
      await segments().append('t', 1, [streamSegment('here', 0, 2)])
      await segments().raiseHead('t', {
        lastSeq: 40,
        streams: new Map([
          ['here', { n: 1 }],
          ['ended', { n: 7, endN: 9 }],
          ['open', { n: 30 }],
        ]),
      })
      await segments().raiseHead('t', { lastSeq: 12, streams: new Map([['open', { n: 3 }]]) })
      const head = {
        lastSeq: 40,
        streams: new Map([
          ['here', { n: 2 }],
          ['ended', { n: 7, endN: 9 }],
          ['open', { n: 30 }],
        ]),
      }
      expect(await segments().head('t')).toEqual(head)
      await reopen()
      expect(await segments().head('t')).toEqual(head)
      expect(await segments().append('t', 3, [streamSegment('open', 30, 1)])).toMatchObject({ ok: false })
      expect(await segments().append('t', 41, [streamSegment('open', 30, 1)])).toEqual({
        ok: true,
        firstSeq: 41,
      })
    })

    it('finds every task that was ever written to', async () => {
      for (const taskId of ['b', 'a', 'B', 'a/1', 'gone'])
        await segments().append(taskId, 1, [sampleSegment(2)])
      await segments().endStream('only-ended', 's', 0)
      await segments().remove('gone')
      const all = ['B', 'a', 'a/1', 'b', 'gone', 'only-ended']
      expect(await segments().taskIds('', 100)).toEqual(all)
      expect(await segments().taskIds('a', 2)).toEqual(['a/1', 'b'])
      expect(await segments().taskIds('only-ended', 2)).toEqual([])
    })

    it('keeps one secret, and where it came from', async () => {
      expect(await store().secret()).toBeUndefined()
      const made = 'a secret of more than 32 bytes, really'
      expect(await store().sharedSecret(made)).toBe(made)
      expect(await store().sharedSecret(`another ${made}`)).toBe(made)
      expect(await store().copyMark()).toBeUndefined()
      await store().setCopyMark({ from: 'there', done: false })
      await reopen()
      expect(await store().secret()).toBe(made)
      expect(await store().copyMark()).toEqual({ from: 'there', done: false })
      await store().setCopyMark(undefined)
      expect(await store().copyMark()).toBeUndefined()
    })
  })
}
