import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import {
  dropBefore,
  emptyWindow,
  firstOf,
  indexOfSeq,
  isGap,
  type LogWindow,
  liveSlice,
  markGap,
  merge,
  type Slice,
  trim,
  windowOf,
} from './log-window.ts'

const entry = (seq: number): LogEntry => ({
  id: `t:${seq}`,
  taskId: 't',
  seq,
  timestamp: '2024-01-01T00:00:00.000Z',
  source: 'stdout',
  level: 'INFO',
  message: `line ${seq}`,
})
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => entry(from + at))
const slice = (from: number, to: number): Slice => ({ from, to, entries: range(from, to) })
const shape = (window: LogWindow) => window.rows.map(row => (isGap(row) ? [row.from, row.to] : row.seq))

describe('merge', () => {
  it('appends what follows and prepends what precedes', () => {
    const window = merge(merge(windowOf(slice(5, 6)), slice(7, 8)), slice(3, 4))
    expect(shape(window)).toEqual([3, 4, 5, 6, 7, 8])
    expect([window.from, window.to]).toEqual([3, 8])
  })

  it('shows each line once where a slice overlaps what is known', () => {
    expect(shape(merge(windowOf(slice(1, 5)), slice(3, 8)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(shape(merge(windowOf(slice(3, 8)), slice(1, 5)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('names the hole before a slice that lies further on', () => {
    expect(shape(merge(windowOf(slice(1, 2)), slice(6, 7)))).toEqual([1, 2, [3, 5], 6, 7])
    expect(shape(merge(windowOf(slice(6, 7)), slice(1, 2)))).toEqual([1, 2, [3, 5], 6, 7])
  })

  it('fills a gap in parts', () => {
    const gapped = merge(windowOf(slice(1, 2)), slice(8, 9))
    const half = merge(gapped, slice(3, 5))
    expect(shape(half)).toEqual([1, 2, 3, 4, 5, [6, 7], 8, 9])
    expect(shape(merge(gapped, slice(5, 6)))).toEqual([1, 2, [3, 4], 5, 6, [7, 7], 8, 9])
    expect(shape(merge(half, slice(6, 7)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('fills a gap that holds nothing under the filter', () => {
    const gapped = merge(windowOf(slice(1, 2)), slice(8, 9))
    expect(shape(merge(gapped, { from: 3, to: 7, entries: [] }))).toEqual([1, 2, 8, 9])
  })

  it('takes the first slice into an empty window wherever it begins', () => {
    expect(shape(merge(emptyWindow(0), slice(1, 3)))).toEqual([1, 2, 3])
  })

  it('holds every line once, in order, whatever the order and overlap of slices', () => {
    const slices = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 })), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(slices, fc.integer({ min: 1, max: 3 }), (parts, keepEvery) => {
        const filtered = ([from, length]: [number, number]): Slice => ({
          from,
          to: from + length,
          entries: range(from, from + length).filter(one => one.seq % keepEvery === 0),
        })
        const [first, ...rest] = parts
        const window = rest.reduce(
          (sofar, part) => merge(sofar, filtered(part)),
          windowOf(filtered(first as [number, number])),
        )
        const covered = new Set(
          parts.flatMap(([from, length]) => Array.from({ length: length + 1 }, (_, i) => from + i)),
        )
        const lowest = Math.min(...covered)
        const highest = Math.max(...covered)
        expect([window.from, window.to]).toEqual([lowest, highest])
        const seqs = window.rows.flatMap(row => (isGap(row) ? [] : [row.seq]))
        expect(seqs).toEqual([...covered].filter(seq => seq % keepEvery === 0).sort((a, b) => a - b))
        const missing = window.rows.flatMap(row =>
          isGap(row) ? Array.from({ length: row.to - row.from + 1 }, (_, i) => row.from + i) : [],
        )
        const uncovered = Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i).filter(
          seq => !covered.has(seq),
        )
        expect(missing).toEqual(uncovered)
        const firsts = window.rows.map(firstOf)
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b))
      }),
    )
  })
})

describe('liveSlice', () => {
  it('leaves out what the window has', () => {
    const window = windowOf(slice(1, 5))
    expect(shape(merge(window, liveSlice(window, range(4, 7), true)))).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(merge(window, liveSlice(window, range(2, 5), true))).toBe(window)
  })

  it('shows a hole as a gap where nothing is filtered, and not where lines are filtered', () => {
    const window = windowOf(slice(1, 2))
    expect(shape(merge(window, liveSlice(window, range(5, 6), true)))).toEqual([1, 2, [3, 4], 5, 6])
    expect(shape(merge(window, liveSlice(window, range(5, 6), false)))).toEqual([1, 2, 5, 6])
  })
})

describe('markGap', () => {
  it('stands where the lines are missing, before those that follow', () => {
    const window = markGap(windowOf(slice(1, 2)), { from: 3, to: 5 })
    expect(shape(merge(window, liveSlice(window, range(6, 6), true)))).toEqual([1, 2, [3, 5], 6])
  })

  it('names only what the window does not hold', () => {
    expect(shape(markGap(windowOf(slice(1, 4)), { from: 3, to: 6 }))).toEqual([1, 2, 3, 4, [5, 6]])
    expect(shape(markGap(windowOf(slice(1, 4)), { from: 2, to: 3 }))).toEqual([1, 2, 3, 4])
  })
})

describe('trim', () => {
  it('drops from the far end and forgets what it covered', () => {
    const start = trim(windowOf(slice(1, 10)), 4, 'start')
    expect([shape(start), start.from, start.to]).toEqual([[7, 8, 9, 10], 7, 10])
    const end = trim(windowOf(slice(1, 10)), 4, 'end')
    expect([shape(end), end.from, end.to]).toEqual([[1, 2, 3, 4], 1, 4])
  })

  it('leaves a window alone that is small enough', () => {
    const window = windowOf(slice(1, 3))
    expect(trim(window, 3, 'start')).toBe(window)
  })
})

describe('dropBefore', () => {
  it('removes deleted lines and parts of gaps', () => {
    const window = merge(windowOf(slice(1, 2)), slice(8, 9))
    expect(shape(dropBefore(window, 5))).toEqual([[5, 7], 8, 9])
    expect(dropBefore(window, 5).from).toBe(5)
  })

  it('goes on after the last deleted line', () => {
    const window = dropBefore(windowOf(slice(1, 3)), 4)
    expect(shape(merge(window, liveSlice(window, range(4, 5), true)))).toEqual([4, 5])
  })
})

describe('indexOfSeq', () => {
  it('finds a line, the gap that holds it, or the next line that matches', () => {
    const { rows } = merge(windowOf({ from: 1, to: 4, entries: [entry(2), entry(4)] }), slice(8, 9))
    expect([1, 2, 3, 4, 5, 8, 10].map(seq => indexOfSeq(rows, seq))).toEqual([0, 0, 1, 1, 2, 3, 5])
  })
})
