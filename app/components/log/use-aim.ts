import { useLayoutEffect, useRef } from 'react'
import { indexOfSeq, type Row } from '../../lib/log-window.ts'

/** Longer than the virtualizer takes to come to rest. */
const FRAMES = 10

/**
 * Brings a line into the middle, and keeps it there until the rows around it have come to rest. The virtualizer aims at an index, which
 * is another line's as soon as earlier rows are loaded; where frames are slow, as in a tab behind others, that is before it has arrived.
 */
export function useAim(rows: readonly Row[], center: (index: number) => void): (seq: number) => void {
  const aim = useRef<number>(undefined)
  const frame = useRef(0)
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
    if (aim.current !== undefined) go(aim.current)
  }, [rows])
  useLayoutEffect(() => () => cancelAnimationFrame(frame.current), [])
  return go
}
