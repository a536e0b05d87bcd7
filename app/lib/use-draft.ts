import { useEffect, useRef, useState } from 'react'

/**
 * What is typed into a field whose value stands in the page's address. The address follows a little later; what has been typed since
 * then stays, and what comes to the address in another way is taken over.
 * @returns the text, a way to change it, and a way to say what has been sent to the address
 */
export function useDraft(given: string): [string, (text: string) => void, (text: string) => void] {
  const [draft, setDraft] = useState(given)
  const onTheWay = useRef<string[]>([])
  useEffect(() => {
    const own = onTheWay.current.indexOf(given)
    if (own < 0) setDraft(given)
    onTheWay.current = onTheWay.current.slice(own + 1)
  }, [given])
  const sent = (text: string) => {
    if (text !== given) onTheWay.current.push(text)
  }
  return [draft, setDraft, sent]
}
