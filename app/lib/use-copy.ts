import { useEffect, useRef, useState } from 'react'

type CopyState = 'ready' | 'copying' | 'copied' | 'failed'

const SAID_MS = 1500

/** Puts a text on the clipboard, also one that has yet to be fetched, and says for a moment how that went. */
export function useCopy(): [CopyState, (text: string | (() => Promise<string>)) => void] {
  const [state, setState] = useState<CopyState>('ready')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const copy = async (text: string | (() => Promise<string>)) => {
    clearTimeout(timer.current)
    setState('copying')
    const copied = await write(text).then(
      () => true,
      () => false,
    )
    setState(copied ? 'copied' : 'failed')
    timer.current = setTimeout(() => setState('ready'), SAID_MS)
  }
  return [state, text => void copy(text)]
}

async function write(given: string | (() => Promise<string>)): Promise<void> {
  const text = typeof given === 'string' ? given : await given()
  // Browsers hide their clipboard from pages that come over plain HTTP.
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.style.position = 'fixed'
  field.style.opacity = '0'
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  if (!copied) throw new Error('The browser does not let this page copy.')
}
