import { useEffect, useRef } from 'react'

/**
 * Handlers by `event.key` in lower case; `Shift+` stands before letters and named keys, not before characters such as `?`; `Mod+` is
 * Ctrl, or Command.
 */
export type KeyHandlers = Record<string, (event: KeyboardEvent) => void>

/** Keys of the whole page; not while the reader writes into a field or has a dialog open. */
export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.isComposing || event.defaultPrevented) return
      const key = event.key.toLowerCase()
      if (isBusy(event) && !/^f\d+$/.test(key)) return
      const shifted = event.shiftKey && (key.length > 1 || key !== event.key)
      const modified = event.ctrlKey || event.metaKey
      const handler = latest.current[`${modified ? 'Mod+' : ''}${shifted ? 'Shift+' : ''}${key}`]
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

const TAKES_KEYS =
  'input, textarea, select, [contenteditable="true"], [role="menu"], [role="listbox"], [role="dialog"]'

function isBusy(event: KeyboardEvent): boolean {
  if (document.querySelector('[aria-modal="true"]')) return true
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.closest(TAKES_KEYS)) return true
  // Space and Enter on a button or link are that button's.
  return (event.key === ' ' || event.key === 'Enter') && target.closest('button, a, [role="button"]') !== null
}
