import type { LogEntry } from '#protocol/log.ts'
import { emptyWindow, type Gap, type LogWindow, liveSlice, markGap, merge, trim } from './log-window.ts'

export interface FeedState {
  readonly phase: 'loading' | 'ready' | 'failed'
  readonly window: LogWindow
  /** The window ends where the log ends, and takes live lines. */
  readonly attached: boolean
  readonly paused: boolean
  /** Lines that came while the reader was not at the end, or paused. */
  readonly unseen: number
  /** First seq that is stored. */
  readonly firstSeq: number
  /** Nobody knows this task yet. */
  readonly unknown: boolean
  readonly loading: 'older' | 'newer' | null
  /** What went wrong last, until the next success. */
  readonly error: string | null
}

/** Before anything is known of a log. */
export const START: FeedState = {
  phase: 'loading',
  window: emptyWindow(0),
  attached: false,
  paused: false,
  unseen: 0,
  firstSeq: 1,
  unknown: false,
  loading: null,
  error: null,
}

/** Rows kept, and kept after a trim, so that not every frame trims. */
export const MAX_ROWS = 20_000
export const KEEP_ROWS = 18_000

/** What the stream brings: entries in rising seq, or seqs that it left out. */
export type Arrival = readonly LogEntry[] | Gap

interface Reader {
  /** Sticks to the end. */
  readonly following: boolean
  /** The stream leaves lines out, so that a hole in the seqs says nothing. */
  readonly sparse: boolean
  /** Whether an entry lies in the time range asked for, of which the stream knows nothing. */
  readonly inTime: ((entry: LogEntry) => boolean) | undefined
}

type Live = Pick<FeedState, 'window' | 'attached' | 'unseen' | 'paused'> & {
  /** Highest seq that the stream has brought, also where the window did not take it. */
  readonly seen: number
}

/** The state after what the stream has brought, in the order it came. */
export function withArrivals(state: Live, arrivals: readonly Arrival[], reader: Reader): Live {
  const { following, sparse, inTime } = reader
  let { window, attached, unseen, seen } = state
  for (const arrival of arrivals) {
    const entries = isEntries(arrival) ? arrival : undefined
    const last = isEntries(arrival) ? arrival.at(-1)?.seq : arrival.to
    if (last === undefined || last <= seen) continue
    seen = last
    const shown = entries && inTime ? entries.filter(inTime) : (entries ?? [])
    if (!following || state.paused) unseen += shown.length
    // Rows under the reader's eyes are not dropped for new ones: those wait until the reader comes down.
    if (attached && !following && window.rows.length >= MAX_ROWS) attached = false
    if (!attached) continue
    if (isEntries(arrival)) {
      const slice = liveSlice(window, arrival, !sparse)
      window = merge(window, inTime ? { ...slice, entries: slice.entries.filter(inTime) } : slice)
    } else window = markGap(window, arrival)
  }
  if (window.rows.length > MAX_ROWS && following) window = trim(window, KEEP_ROWS, 'start')
  return { window, attached, unseen, seen, paused: state.paused }
}

const isEntries = (arrival: Arrival): arrival is readonly LogEntry[] => Array.isArray(arrival)
