import { useEffect, useRef, useState } from 'react'
import { isGap, type LogWindow } from '../../lib/log-window.ts'

const MAX_STEPS = 200

/** Names of the steps that the reader has come across so far, in the order of their first sight. */
export function useSteps(window: LogWindow): readonly string[] {
  const [steps, setSteps] = useState<readonly string[]>([])
  const looked = useRef({ from: 1, to: 0 })
  useEffect(() => {
    const found = stepsOutside(window, looked.current)
    looked.current = window
    if (found.size === 0) return
    setSteps(known => {
      const fresh = [...found].filter(step => !known.includes(step))
      return fresh.length > 0 ? [...known, ...fresh].slice(0, MAX_STEPS) : known
    })
  }, [window])
  return steps
}

/** Looks from both ends, so that a frame costs what it brought. */
function stepsOutside({ rows }: LogWindow, looked: { from: number; to: number }): Set<string> {
  const found = new Set<string>()
  const isNew = (at: number): boolean => {
    const row = rows[at]
    if (!row) return false
    if (isGap(row)) return true
    if (looked.from <= row.seq && row.seq <= looked.to) return false
    if (row.step) found.add(row.step)
    return true
  }
  for (let at = 0; isNew(at); ) at++
  for (let at = rows.length - 1; isNew(at); ) at--
  return found
}
