import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import { firstOf, indexOfSeq, type Row } from '../../lib/log-window.ts'

/** Longer than the virtualizer takes to come to rest. */
const FRAMES = 10
/** What a reader does to be elsewhere. */
const MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const

interface AimOptions {
  rows: readonly Row[]
  following: boolean
  scroller: RefObject<HTMLElement | null>
  center(index: number): void
}

/**
 * Brings a line into the middle, and keeps it there until the rows around it have come to rest, or the reader goes elsewhere. The
 * virtualizer aims at an index, which is another line's as soon as earlier rows are loaded; where frames are slow, as in a tab behind
 * others, that is before it has arrived.
 */
export function useAim({ rows, following, scroller, center }: AimOptions): (seq: number) => void {
  const aim = useRef<number>(undefined)
  const frame = useRef(0)
  const giveUp = useRef(() => {
    cancelAnimationFrame(frame.current)
    aim.current = undefined
  }).current
  const go = (seq: number) => {
    let left = FRAMES
    const rest = () => {
      if (left-- > 0) frame.current = requestAnimationFrame(rest)
      else aim.current = undefined
    }
    cancelAnimationFrame(frame.current)
    aim.current = seq
    center(Math.min(indexOfSeq(rows, seq), rows.length - 1))
    rest()
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each change of the rows
  useLayoutEffect(() => {
    if (aim.current === undefined) return
    // Of other rows the nearest would be their first, and lead to those before it, and so on.
    if (following || !isAmong(rows, aim.current)) giveUp()
    else go(aim.current)
  }, [rows, following])
  useEffect(() => {
    const element = scroller.current
    for (const move of MOVES) element?.addEventListener(move, giveUp, { passive: true })
    return () => {
      for (const move of MOVES) element?.removeEventListener(move, giveUp)
      giveUp()
    }
  }, [scroller, giveUp])
  return go
}

function isAmong(rows: readonly Row[], seq: number): boolean {
  const [first, last] = [rows[0], rows.at(-1)]
  return first !== undefined && firstOf(first) <= seq && seq <= firstOf(last as Row)
}
