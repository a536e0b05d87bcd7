import type { LogEntry } from '#protocol/log.ts'

/** Seqs `from` … `to` that lie inside the window but have not been loaded. */
export interface Gap {
  readonly from: number
  readonly to: number
}
export type Row = LogEntry | Gap

/**
 * The part of a log that the browser holds. Every matching entry of `from` … `to` is in `rows`, in rising seq, but for the gaps
 * that `rows` names. Under a filter the seqs of `rows` are sparse, and what lies between two of them has been looked at.
 * An empty window stands between `to` and `from = to + 1`.
 */
export interface LogWindow {
  readonly from: number
  readonly to: number
  readonly rows: readonly Row[]
}

/** Entries found by looking at the whole of `from` … `to`. */
export interface Slice {
  readonly from: number
  readonly to: number
  readonly entries: readonly LogEntry[]
}

export const isGap = (row: Row): row is Gap => !('seq' in row)
export const firstOf = (row: Row): number => (isGap(row) ? row.from : row.seq)
const lastOf = (row: Row): number => (isGap(row) ? row.to : row.seq)

/** A window that holds nothing and stands after `seq`. */
export const emptyWindow = (seq: number): LogWindow => ({ from: seq + 1, to: seq, rows: [] })
export const windowOf = (slice: Slice): LogWindow => ({ from: slice.from, to: slice.to, rows: slice.entries })

/**
 * The window with a slice put in its place: after, before, into a gap, or over what is known already. A hole between the two
 * becomes a gap row.
 */
export function merge(window: LogWindow, slice: Slice): LogWindow {
  if (slice.to < slice.from) return window
  if (window.to < window.from && window.rows.length === 0) {
    if (slice.from <= window.from && slice.to >= window.to) return windowOf(slice)
  }
  if (slice.from === window.to + 1) {
    return { from: window.from, to: slice.to, rows: window.rows.concat(slice.entries) }
  }
  const left = clip(window.rows, Number.NEGATIVE_INFINITY, slice.from - 1)
  const right = clip(window.rows, slice.to + 1, Number.POSITIVE_INFINITY)
  if (slice.from > window.to + 1) left.push({ from: window.to + 1, to: slice.from - 1 })
  if (slice.to < window.from - 1) right.unshift({ from: slice.to + 1, to: window.from - 1 })
  return {
    from: Math.min(window.from, slice.from),
    to: Math.max(window.to, slice.to),
    rows: [...left, ...slice.entries, ...right],
  }
}

/**
 * What a live batch adds to a window that ends before it: entries that the window has are left out. Where `contiguous` (nothing is
 * filtered), a batch that begins later than the window ends leaves a hole, which `merge` turns into a gap.
 */
export function liveSlice(window: LogWindow, entries: readonly LogEntry[], contiguous: boolean): Slice {
  const first = entries[0]
  const fresh = first && first.seq > window.to ? entries : entries.filter(entry => entry.seq > window.to)
  const start = fresh[0]
  const last = fresh.at(-1)
  if (!start || !last) return { from: window.to + 1, to: window.to, entries: [] }
  return { from: contiguous ? start.seq : window.to + 1, to: last.seq, entries: fresh }
}

/** The window with `from` … `to` named as not loaded; what it holds of that range already stays. */
export function markGap(window: LogWindow, gap: Gap): LogWindow {
  const from = Math.max(gap.from, window.to + 1)
  if (gap.to < from) return window
  return { from: window.from, to: gap.to, rows: [...window.rows, { from, to: gap.to }] }
}

/** At most `max` rows, dropped from one end. What is dropped is no longer covered. */
export function trim(window: LogWindow, max: number, drop: 'start' | 'end'): LogWindow {
  const excess = window.rows.length - max
  if (excess <= 0) return window
  if (drop === 'start') {
    const rows = window.rows.slice(excess)
    return { from: rows[0] ? firstOf(rows[0]) : window.to + 1, to: window.to, rows }
  }
  const rows = window.rows.slice(0, max)
  const last = rows.at(-1)
  return { from: window.from, to: last ? lastOf(last) : window.from - 1, rows }
}

/** The window without what was deleted before `firstSeq`. */
export function dropBefore(window: LogWindow, firstSeq: number): LogWindow {
  if (firstSeq <= window.from) return window
  if (firstSeq > window.to) return emptyWindow(Math.max(window.to, firstSeq - 1))
  return { from: firstSeq, to: window.to, rows: clip(window.rows, firstSeq, Number.POSITIVE_INFINITY) }
}

/** Index of the first row that ends at or after `seq`; the number of rows where there is none. */
export function indexOfSeq(rows: readonly Row[], seq: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (lastOf(rows[middle] as Row) < seq) low = middle + 1
    else high = middle
  }
  return low
}

function clip(rows: readonly Row[], from: number, to: number): Row[] {
  const start = from === Number.NEGATIVE_INFINITY ? 0 : indexOfSeq(rows, from)
  const end = to === Number.POSITIVE_INFINITY ? rows.length : indexOfSeq(rows, to + 1)
  const kept = rows.slice(start, end)
  const first = kept[0]
  if (first && isGap(first) && first.from < from) kept[0] = { from, to: first.to }
  const next = rows[end]
  if (next && isGap(next) && next.from <= to && end >= start)
    kept.push({ from: Math.max(next.from, from), to })
  return kept
}
