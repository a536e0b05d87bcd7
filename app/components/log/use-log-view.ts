import { notifications } from '@mantine/notifications'
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { FeedState } from '../../lib/feed-state.ts'
import type { LogFeed } from '../../lib/log-feed.ts'
import { logSource } from '../../lib/log-source.ts'
import { type LogAddress, NO_FILTER, writeAddress } from '../../lib/log-url.ts'
import { indexOfSeq, type Row } from '../../lib/log-window.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { hashOfLines, lineOfHash, type MarkedLines } from './line-hash.ts'
import type { LogListHandle } from './log-list.tsx'
import type { Direction, Find } from './use-find.ts'
import { type Folds, useFolds } from './use-folds.ts'

export interface LogActions {
  toStart(): void
  toEnd(): void
  toFirstError(): void
  toNextError(): void
  step(direction: Direction): void
  toggleFollow(): void
  togglePause(): void
  toggleCleared(): void
  toggleFolds(): void
  toLine(seq: number): void
  /** A line that the filter lets through, among those that it does not; the browser's Back leads to the filter again. */
  showAround(seq: number): void
  unmark(): void
}

export interface LogView {
  readonly following: boolean
  readonly marked: MarkedLines | undefined
  /** Without those that the reader has hidden or folded. */
  readonly rows: readonly Row[]
  readonly folds: Folds
  /** Lines up to here are hidden by the reader; 0 for none. */
  readonly clearedTo: number
  readonly actions: LogActions
  readonly handle: RefObject<LogListHandle | null>
  onScrolledUp(): void
  onReachedEnd(): void
  onMark(seq: number, extend: boolean): void
  /** To be called before the filter changes: what the reader looks at stays in sight. */
  keepPlace(): void
}

/** `off` is the reader's wish and stays; `left` ends when the reader comes back to the end. */
type Follow = 'on' | 'left' | 'off'

interface LogViewOptions {
  taskId: string
  feed: LogFeed
  state: FeedState
  /** Number of the last line that there is. */
  lastSeq: number
  address: LogAddress
  find: Find
  /** Where another feed opens; undefined for the end. */
  place: RefObject<number | undefined>
}

/** Where the reader is in a log, and the ways to be elsewhere. */
export function useLogView({ taskId, feed, state, lastSeq, address, find, place }: LogViewOptions): LogView {
  const text = useMessages().log
  const handle = useRef<LogListHandle>(null)
  const [follow, setFollow] = useState<Follow>(() => (lineOfHash(location.hash) ? 'left' : 'on'))
  const [marked, setMarked] = useState(() => lineOfHash(location.hash))
  const [target, setTarget] = useState<{ seq: number }>()
  const [clearedTo, setClearedTo] = useState(0)
  const following = follow === 'on' && !state.paused
  const uncleared = useMemo(() => {
    const all = state.window.rows
    return clearedTo > 0 ? all.slice(indexOfSeq(all, clearedTo + 1)) : all
  }, [state.window, clearedTo])
  const [rows, folds] = useFolds(uncleared)
  const { reveal } = folds

  useEffect(() => feed.setFollowing(follow === 'on'), [feed, follow])
  // biome-ignore lint/correctness/useExhaustiveDependencies: each feed opens at the place
  useEffect(() => setTarget(place.current === undefined ? undefined : { seq: place.current }), [feed, place])

  const jump = useCallback(
    async (seq: number) => {
      setFollow('left')
      feed.setFollowing(false)
      setClearedTo(cleared => (seq <= cleared ? 0 : cleared))
      if (!(await feed.jumpTo(seq))) return false
      reveal(seq)
      setTarget({ seq })
      return true
    },
    [feed, reveal],
  )

  // The list moves once it has drawn the rows around the target.
  const ready = state.phase === 'ready'
  useEffect(() => {
    if (!target || !ready) return
    handle.current?.show(target.seq)
    setTarget(undefined)
  }, [target, ready])

  useEffect(() => {
    const onHash = () => {
      const line = lineOfHash(location.hash)
      setMarked(line)
      if (line) void jump(line.from)
    }
    window.addEventListener('hashchange', onHash)
    return () => window.removeEventListener('hashchange', onHash)
  }, [jump])

  const onMark = useCallback((seq: number, extend: boolean) => {
    const current = lineOfHash(location.hash)
    const lines =
      current && extend
        ? { from: Math.min(current.from, seq), to: Math.max(current.to, seq) }
        : { from: seq, to: seq }
    history.replaceState(null, '', location.pathname + location.search + hashOfLines(lines))
    setMarked(lines)
  }, [])

  const toEnd = () => {
    setFollow('on')
    feed.setFollowing(true)
    void (state.paused ? feed.resume() : feed.toEnd())
  }
  const toError = async (after: number) => {
    const levels = { ...address, level: ['ERROR', 'CRITICAL'] as const }
    try {
      const slice = await logSource(taskId, levels).after(after, 1)
      const [entry] = slice.entries
      if (!entry) return void notifications.show({ message: text.noError })
      onMark(entry.seq, false)
      await jump(entry.seq)
    } catch (error) {
      notifications.show({ color: 'red', message: error instanceof Error ? error.message : String(error) })
    }
  }
  const latest: LogActions = {
    toStart: () => void jump(Math.max(state.firstSeq, 1)).then(there => there && handle.current?.top()),
    toEnd,
    toFirstError: () => void toError(0),
    toNextError: () => void toError(marked?.to ?? handle.current?.inSight().first ?? 0),
    step: direction => {
      const start = () => {
        const sight = handle.current?.inSight()
        return Math.max(0, direction === 'next' ? (sight?.first ?? 1) - 1 : (sight?.last ?? 0) + 1)
      }
      find.step(direction, start).then(
        seq => {
          if (seq !== undefined) void jump(seq)
        },
        (error: Error) => notifications.show({ color: 'red', message: error.message }),
      )
    },
    toggleFollow: () => (following ? setFollow('off') : toEnd()),
    togglePause: () => (state.paused ? void feed.resume() : feed.pause()),
    toggleCleared: () => setClearedTo(cleared => (cleared > 0 ? 0 : state.window.to)),
    toggleFolds: folds.toggleAll,
    toLine: wanted => {
      const seq = Math.max(1, Math.min(wanted, lastSeq))
      onMark(seq, false)
      void jump(seq)
    },
    showAround: seq => {
      onMark(seq, false)
      setFollow('left')
      place.current = seq
      const search = writeAddress({ ...address, ...NO_FILTER, find: address.search || address.find })
      history.pushState(null, '', `${location.pathname}?${search}${location.hash}`)
    },
    unmark: () => {
      history.replaceState(null, '', location.pathname + location.search)
      setMarked(undefined)
    },
  }
  const actions = useStable(latest)
  return {
    following,
    marked,
    rows,
    folds,
    clearedTo,
    actions,
    handle,
    onScrolledUp: useCallback(() => setFollow(now => (now === 'on' ? 'left' : now)), []),
    onReachedEnd: useCallback(() => setFollow(now => (now === 'left' ? 'on' : now)), []),
    onMark,
    keepPlace: useCallback(() => {
      const sight = handle.current?.inSight()
      place.current = follow === 'on' ? undefined : sight?.middle
    }, [follow, place]),
  }
}

/** Actions that stay the same functions and do what the latest ones do, so that what shows them is not drawn with every line. */
function useStable(actions: LogActions): LogActions {
  const latest = useRef(actions)
  // Before any effect of what shows them.
  useLayoutEffect(() => {
    latest.current = actions
  })
  return useMemo(
    () => ({
      toStart: () => latest.current.toStart(),
      toEnd: () => latest.current.toEnd(),
      toFirstError: () => latest.current.toFirstError(),
      toNextError: () => latest.current.toNextError(),
      step: direction => latest.current.step(direction),
      toggleFollow: () => latest.current.toggleFollow(),
      togglePause: () => latest.current.togglePause(),
      toggleCleared: () => latest.current.toggleCleared(),
      toggleFolds: () => latest.current.toggleFolds(),
      toLine: seq => latest.current.toLine(seq),
      showAround: seq => latest.current.showAround(seq),
      unmark: () => latest.current.unmark(),
    }),
    [],
  )
}
