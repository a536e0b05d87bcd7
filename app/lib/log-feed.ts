import { ApiError } from './api.ts'
import { type Arrival, type FeedState, KEEP_ROWS, MAX_ROWS, START, withArrivals } from './feed-state.ts'
import { createFlushTimer } from './flush-timer.ts'
import { type LogSource, logSource, type ReadSlice, timeRangeOf } from './log-source.ts'
import { type LogStream, logStream } from './log-stream.ts'
import { isSparse, type LogQuery } from './log-url.ts'
import { dropBefore, emptyWindow, type Gap, type LogWindow, merge, trim, windowOf } from './log-window.ts'
import type { LiveSocket } from './socket.ts'

/** Rows asked for at once. */
const PAGE = 500
/** Fewer missed lines than this are streamed after a reconnect; more are left to paging. */
const CATCH_UP = 5000
const RETRY_MS = 5000

/** One task's log under one filter: what is loaded of it, kept up to date by REST pages and the live stream. */
export class LogFeed {
  readonly #taskId: string
  readonly #query: LogQuery
  readonly #socket: LiveSocket
  readonly #source: LogSource
  readonly #timer = createFlushTimer(() => this.#flush())
  readonly #listeners = new Set<() => void>()
  #stream: LogStream | undefined
  #state = START
  #queue: Arrival[] = []
  /** Highest seq that the stream has brought, also where the window did not take it. */
  #seen = 0
  #following = true
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  /** Answers to what was asked before the last change of place are void. */
  #generation = 0
  /** The window is about to be somewhere else: what lies beside it now is of no use. */
  #moving = false

  constructor(taskId: string, query: LogQuery, socket: LiveSocket) {
    this.#taskId = taskId
    this.#query = query
    this.#socket = socket
    this.#source = logSource(taskId, query)
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly snapshot = (): FeedState => this.#state

  /** Opens at a seq, or at the end. */
  async start(seq?: number): Promise<void> {
    this.#stream?.close()
    this.#stream = logStream(this.#socket, this.#taskId, this.#query, {
      entries: entries => this.#arrived(entries),
      gap: gap => this.#arrived(gap),
      cleared: firstSeq => this.#cleared(firstSeq),
      failed: error => this.#failed(error),
      reconnected: () => void this.#catchUp(),
    })
    this.#set({ ...START, paused: this.#state.paused })
    if (seq === undefined) await this.toEnd()
    else await this.jumpTo(seq)
  }

  stop(): void {
    this.#generation++
    this.#timer.cancel()
    clearTimeout(this.#retryTimer)
    this.#queue = []
    this.#stream?.close()
    this.#stream = undefined
  }

  /** After a failure: goes on from where the lines stopped, or opens again where nothing could be opened. */
  retry(): void {
    clearTimeout(this.#retryTimer)
    if (this.#state.phase === 'failed') void this.start()
    else void this.#catchUp()
  }

  /** Whether the reader sticks to the end: decides from which end the window is trimmed, and what counts as unseen. */
  setFollowing(following: boolean): void {
    this.#following = following
    if (following && this.#state.unseen > 0 && !this.#state.paused) this.#set({ unseen: 0 })
  }

  pause(): void {
    this.#set({ paused: true, attached: false })
  }

  /** Goes on: at the end where the reader follows, else where the reader is. */
  async resume(): Promise<void> {
    this.#set({ paused: false })
    if (this.#following) await this.toEnd()
    else await this.loadNewer()
  }

  /** Shows the end, joined to the window where they meet. */
  async toEnd(): Promise<void> {
    if (this.#state.attached) return
    await this.#move(async () => {
      const tail = await this.#source.tail(PAGE)
      const { window } = this.#state
      const meets = window.to >= window.from && tail.from <= window.to + 1
      return { slice: tail, window: meets ? trim(merge(window, tail), KEEP_ROWS, 'start') : windowOf(tail) }
    })
    // The stream may have gone on while the page was read.
    await this.loadNewer()
  }

  /** Shows the surroundings of a seq. Where it is loaded already, nothing moves. @returns whether they are there now */
  async jumpTo(seq: number): Promise<boolean> {
    const { window } = this.#state
    const inGap = window.rows.some(row => !('seq' in row) && row.from <= seq && seq <= row.to)
    if (window.from <= seq && seq <= window.to && !inGap) return true
    return this.#move(async () => {
      const [older, newer] = await Promise.all([
        this.#source.before(seq, PAGE / 2),
        this.#source.after(seq - 1, PAGE / 2),
      ])
      return { slice: newer, window: merge(windowOf(older), newer) }
    })
  }

  loadOlder(): Promise<void> {
    const { window, firstSeq, loading, phase } = this.#state
    if (loading || this.#moving || phase !== 'ready' || window.from <= firstSeq) return Promise.resolve()
    return this.#extend('older', () => this.#source.before(window.from, PAGE))
  }

  loadNewer(): Promise<void> {
    const { window, attached, loading, phase, paused } = this.#state
    if (loading || this.#moving || phase !== 'ready' || attached || (paused && window.to >= this.#seen))
      return Promise.resolve()
    return this.#extend('newer', () => this.#source.after(window.to, PAGE))
  }

  async loadGap(gap: Gap): Promise<void> {
    const generation = this.#generation
    await this.#guard(async () => {
      const slice = await this.#source.after(gap.from - 1, 2 * PAGE)
      if (generation !== this.#generation) return
      const to = Math.min(slice.to, gap.to)
      const entries = slice.entries.filter(entry => entry.seq <= to)
      this.#set({ window: merge(this.#state.window, { from: gap.from, to, entries }), error: null })
    })
  }

  #arrived(arrival: Arrival): void {
    this.#queue.push(arrival)
    this.#timer.request()
  }

  #flush(): void {
    const arrivals = this.#queue
    this.#queue = []
    const { seen, ...change } = withArrivals({ ...this.#state, seen: this.#seen }, arrivals, {
      following: this.#following,
      sparse: isSparse(this.#query),
      inTime: timeRangeOf(this.#query),
    })
    this.#seen = seen
    this.#set({ ...change, unknown: false })
  }

  /** @param first 0 where nothing is left */
  #cleared(first: number): void {
    this.#flush()
    const firstSeq = first || this.#seen + 1
    this.#set({ firstSeq, window: dropBefore(this.#state.window, firstSeq) })
  }

  /** The stream has stopped for a reason of the server's, which may pass. */
  #failed(error: string): void {
    this.#set({ error })
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => this.retry(), RETRY_MS)
  }

  /** Puts the window somewhere else; the first time, also subscribes to what follows. */
  async #move(read: () => Promise<{ slice: ReadSlice; window: LogWindow }>): Promise<boolean> {
    const generation = ++this.#generation
    const first = this.#state.phase !== 'ready'
    this.#moving = true
    this.#set({ loading: null })
    try {
      const { slice, window } = await read()
      if (generation !== this.#generation) return false
      this.#moving = false
      if (first) this.#seen = slice.lastSeq
      this.#set({
        phase: 'ready',
        window,
        firstSeq: slice.firstSeq,
        attached: this.#atEnd(slice, window),
        unseen: this.#following && !this.#state.paused ? 0 : this.#state.unseen,
        error: null,
      })
      if (first) this.#stream?.subscribe(slice.lastSeq)
      return true
    } catch (error) {
      if (generation !== this.#generation) return false
      this.#moving = false
      if (first && error instanceof ApiError && error.status === 404) {
        this.#seen = 0
        this.#set({ phase: 'ready', unknown: true, attached: true, window: emptyWindow(0) })
        this.#stream?.subscribe(0)
      } else this.#set({ phase: first ? 'failed' : 'ready', error: messageOf(error) })
      return false
    }
  }

  async #extend(loading: 'older' | 'newer', read: () => Promise<ReadSlice>): Promise<void> {
    const generation = this.#generation
    this.#set({ loading })
    await this.#guard(async () => {
      const slice = await read()
      if (generation !== this.#generation) return
      const merged = merge(this.#state.window, slice)
      const window =
        merged.rows.length > MAX_ROWS
          ? trim(merged, KEEP_ROWS, loading === 'older' ? 'end' : 'start')
          : merged
      const attached =
        loading === 'newer' ? this.#atEnd(slice, window) : this.#state.attached && window.to === merged.to
      this.#set({ window, attached, firstSeq: slice.firstSeq, error: null })
    })
    if (generation === this.#generation) this.#set({ loading: null })
  }

  /** Whether a window that ends with this slice has all that the stream has brought. */
  #atEnd(slice: ReadSlice, window: LogWindow): boolean {
    return !this.#state.paused && window.to >= this.#seen && window.to >= slice.lastSeq
  }

  /** After a reconnect: streams what was missed, or, where that is much, shows the end or leaves it to paging. */
  async #catchUp(): Promise<void> {
    try {
      const { lastSeq, firstSeq } = await this.#source.tail(1).catch(error => {
        if (error instanceof ApiError && error.status === 404) return { lastSeq: 0, firstSeq: 1 }
        throw error
      })
      if (this.#state.phase !== 'ready') return
      if (lastSeq < this.#seen) return void this.start()
      this.#set({ firstSeq, error: null })
      const missed = lastSeq - this.#seen
      if (missed <= CATCH_UP) return this.#stream?.subscribe(this.#seen)
      this.#seen = lastSeq
      const atEnd = this.#following && !this.#state.paused
      // How many of the missed lines a filter would show is not known.
      const unseen = this.#state.unseen + (isSparse(this.#query) ? 0 : missed)
      this.#set({ attached: false, unseen: atEnd ? 0 : unseen })
      this.#stream?.subscribe(lastSeq)
      if (atEnd) await this.toEnd()
    } catch (error) {
      this.#failed(messageOf(error))
    }
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#set({ error: messageOf(error) })
    }
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
