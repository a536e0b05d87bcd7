import { type RefObject, useEffect } from 'react'

const TYPING_MS = 3000
let lastKeyAt = 0

/** Gives a field the focus when it has something new to ask, unless somebody is using the page's keyboard elsewhere. */
export function useIdleFocus(field: RefObject<HTMLElement | null>, occasion: string | undefined): void {
  useEffect(() => {
    const note = () => {
      lastKeyAt = Date.now()
    }
    window.addEventListener('keydown', note, { capture: true })
    return () => window.removeEventListener('keydown', note, { capture: true })
  }, [])
  useEffect(() => {
    if (occasion === undefined) return
    const elsewhere = document.activeElement !== null && document.activeElement !== document.body
    if (elsewhere || Date.now() - lastKeyAt < TYPING_MS || getSelection()?.toString()) return
    field.current?.focus({ preventScroll: true })
  }, [field, occasion])
}
