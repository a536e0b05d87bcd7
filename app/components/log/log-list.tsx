import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual'
import {
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { FeedState } from '../../lib/feed-state.ts'
import { count } from '../../lib/format.ts'
import type { LogFeed } from '../../lib/log-feed.ts'
import { beginsBlock } from '../../lib/log-folds.ts'
import { firstOf, isGap, type Row } from '../../lib/log-window.ts'
import { useMessages } from '../../messages/use-messages.ts'
import type { MarkedLines } from './line-hash.ts'
import classes from './log-list.module.css'
import rowClasses from './log-row.module.css'
import { LogRow, type LogRowProps } from './log-row.tsx'
import { useAim } from './use-aim.ts'
import type { Folds } from './use-folds.ts'
import type { LogSettings } from './use-log-settings.ts'

export interface LogListHandle {
  /** Puts a line that is loaded into the middle. */
  show(seq: number): void
  top(): void
  /** Seqs of the first, middle and last row in sight. */
  inSight(): { first: number; middle: number; last: number }
  focus(): void
}

interface LogListProps {
  feed: LogFeed
  state: FeedState
  rows: readonly Row[]
  folds: Folds
  settings: LogSettings
  startMs: number
  pattern: RegExp | undefined
  marked: MarkedLines | undefined
  currentSeq: number | undefined
  following: boolean
  /** Earlier lines are hidden by the reader: do not load them. */
  cut: boolean
  onScrolledUp(): void
  onReachedEnd(): void
  onMark(seq: number, extend: boolean): void
  /** Undefined where nothing is filtered. */
  onShowAround: ((seq: number) => void) | undefined
  handle: RefObject<LogListHandle | null>
}

const ROW_PX = 20
const AHEAD_ROWS = 100
const AT_END_PX = 6
const LEFT_END_PX = 24

/** The rows in sight of the window, and the scrolling that joins them: sticking to the end, and loading what lies beyond. */
export function LogList(props: LogListProps) {
  const { feed, state, rows, folds, settings, following, handle } = props
  const text = useMessages().log
  const scroller = useRef<HTMLDivElement>(null)
  const sticking = useRef(following)
  const lastTop = useRef(0)
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set())

  const tailRange = useCallback((range: Range) => {
    if (!sticking.current) return defaultRangeExtractor(range)
    const height = scroller.current?.clientHeight ?? 0
    const start = Math.max(0, range.count - Math.ceil(height / ROW_PX) - 10)
    return Array.from({ length: range.count - start }, (_, at) => start + at)
  }, [])
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: index => firstOf(rows[index] as Row),
    overscan: 24,
    // Away from the end, the rows in sight stay where they are whatever comes before or after them.
    anchorTo: following ? 'start' : 'end',
    rangeExtractor: tailRange,
    // At the end, the rows in sight are drawn already when the scrolling is noticed.
    useFlushSync: !following,
  })
  const items = virtualizer.getVirtualItems()
  const firstIndex = items[0]?.index ?? 0
  const lastIndex = items.at(-1)?.index ?? 0

  useLayoutEffect(() => {
    sticking.current = following
  }, [following])

  // New rows are drawn and scrolled to in the same frame, before the browser paints.
  const height = virtualizer.getTotalSize()
  const room = virtualizer.scrollRect?.height
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end moves with the rows, their height and the room for them
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element || !sticking.current) return
    element.scrollTop = element.scrollHeight
    lastTop.current = element.scrollTop
  }, [rows, height, room, following])

  const { onScrolledUp, onReachedEnd } = props
  const { attached } = state
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const onScroll = () => {
      const distance = element.scrollHeight - element.clientHeight - element.scrollTop
      if (sticking.current && element.scrollTop < lastTop.current - 1 && distance > LEFT_END_PX) {
        sticking.current = false
        onScrolledUp()
      } else if (
        !sticking.current &&
        distance <= AT_END_PX &&
        element.scrollTop > lastTop.current &&
        attached
      ) {
        onReachedEnd()
      }
      lastTop.current = element.scrollTop
    }
    // Before the virtualizer's own listener, which draws again at once.
    element.addEventListener('scroll', onScroll, { capture: true, passive: true })
    return () => element.removeEventListener('scroll', onScroll, { capture: true })
  }, [attached, onScrolledUp, onReachedEnd])

  useEffect(() => {
    const enough = following && rows.length > 4 * AHEAD_ROWS
    if (firstIndex < AHEAD_ROWS && !props.cut && !enough) void feed.loadOlder()
    if (lastIndex > rows.length - AHEAD_ROWS) void feed.loadNewer()
  }, [feed, rows, firstIndex, lastIndex, props.cut, following])

  const show = useAim({
    rows,
    following,
    scroller,
    center: index => virtualizer.scrollToIndex(index, { align: 'center' }),
  })
  useImperativeHandle(handle, () => ({
    show,
    top: () => virtualizer.scrollToOffset(0),
    inSight() {
      const top = scroller.current?.scrollTop ?? 0
      const bottom = top + (scroller.current?.clientHeight ?? 0)
      const shown = items.filter(item => item.end > top + 2 && item.start < bottom - 2)
      const seqAt = (index = 0) => (rows[index] ? firstOf(rows[index]) : 0)
      return {
        first: seqAt(shown[0]?.index),
        middle: seqAt(shown[shown.length >> 1]?.index),
        last: seqAt(shown.at(-1)?.index),
      }
    },
    focus: () => scroller.current?.focus(),
  }))

  // Rows have one height, unless lines wrap or are unfolded: only then is each measured.
  const measured = settings.wrap || unfolded.size > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured holds for one way of drawing only
  useLayoutEffect(() => virtualizer.measure(), [settings.wrap, measured, virtualizer])

  const fold = useCallback((seq: number) => {
    setUnfolded(current => {
      const next = new Set(current)
      if (!next.delete(seq)) next.add(seq)
      return next
    })
  }, [])
  const width = useWidth(scroller)
  const blockAt = (index: number, row: Row): LogRowProps['block'] => {
    if (folds.folded.has(firstOf(row))) return folds.hidden(firstOf(row))
    return beginsBlock(rows[index - 1], row, rows[index + 1]) ? 'open' : undefined
  }
  const marked = (seq: number) => !!props.marked && props.marked.from <= seq && seq <= props.marked.to
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      data-testid="log-scroller"
      data-wrap={settings.wrap || undefined}
      role="log"
      aria-live="off"
      aria-label={text.label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
      tabIndex={0}
      style={
        { '--digits': String(state.window.to).length, '--view-width': `${width}px` } as React.CSSProperties
      }
    >
      <div className={classes.space} style={{ height }}>
        <div className={classes.rows} style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map(item => {
            const row = rows[item.index]
            if (!row) return null
            return (
              <div
                key={item.key}
                data-index={item.index}
                ref={measured ? virtualizer.measureElement : undefined}
              >
                {isGap(row) ? (
                  <div className={rowClasses.gap} data-testid="log-gap">
                    {text.gap(row.to - row.from + 1)} ({count(row.from)}–{count(row.to)})
                    <button type="button" className={rowClasses.more} onClick={() => void feed.loadGap(row)}>
                      {text.gapLoad}
                    </button>
                  </div>
                ) : (
                  <LogRow
                    entry={row}
                    settings={settings}
                    startMs={props.startMs}
                    pattern={props.pattern}
                    unfolded={unfolded.has(row.seq)}
                    marked={marked(row.seq)}
                    current={props.currentSeq === row.seq}
                    block={blockAt(item.index, row)}
                    onFoldBlock={folds.toggle}
                    onFold={fold}
                    onMark={props.onMark}
                    onShowAround={props.onShowAround}
                  />
                )}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const target = element.current
    if (!target) return
    const observer = new ResizeObserver(() => setWidth(target.clientWidth))
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return width
}
