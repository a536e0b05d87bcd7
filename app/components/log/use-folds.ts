import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { allBlocks, endOfBlock, foldRows, withoutFoldsOver } from '../../lib/log-folds.ts'
import { firstOf, indexOfSeq, type Row } from '../../lib/log-window.ts'

/** Groups and stack traces that the reader has folded, by the seq of their first lines. */
export interface Folds {
  readonly folded: ReadonlySet<number>
  /** How many rows a folded block hides. */
  hidden(seq: number): number
  toggle(seq: number): void
  /** Folds everything that is loaded, or, where something is folded, unfolds it. */
  toggleAll(): void
  /** Unfolds what hides this line. */
  reveal(seq: number): void
}

const NONE: ReadonlySet<number> = new Set()

/** @returns what is left of `rows`, and the folds; the latter are the same object until one of them changes */
export function useFolds(rows: readonly Row[]): [readonly Row[], Folds] {
  const [folded, setFolded] = useState(NONE)
  const latest = useRef(rows)
  useLayoutEffect(() => {
    latest.current = rows
  }, [rows])
  const shown = useMemo(() => foldRows(rows, folded), [rows, folded])

  const toggle = useCallback((seq: number) => {
    setFolded(current => {
      const next = new Set(current)
      if (!next.delete(seq)) next.add(seq)
      return next
    })
  }, [])
  const toggleAll = useCallback(
    () => setFolded(current => (current.size > 0 ? NONE : allBlocks(latest.current))),
    [],
  )
  const reveal = useCallback(
    (seq: number) => setFolded(current => withoutFoldsOver(latest.current, current, seq)),
    [],
  )
  const folds = useMemo(
    () => ({
      folded,
      hidden: (seq: number) => {
        const at = indexOfSeq(latest.current, seq)
        const head = latest.current[at]
        return head && firstOf(head) === seq ? endOfBlock(latest.current, at) - at : 0
      },
      toggle,
      toggleAll,
      reveal,
    }),
    [folded, toggle, toggleAll, reveal],
  )
  return [shown, folds]
}
