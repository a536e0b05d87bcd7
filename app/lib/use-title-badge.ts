import { useEffect } from 'react'

const BADGE = /^\(\d+\) /

/** Puts a number before the page's title, whoever sets that; 0 takes it away. */
export function useTitleBadge(n: number): void {
  useEffect(() => {
    const mark = () => {
      const plain = document.title.replace(BADGE, '')
      const wanted = n > 0 ? `(${n}) ${plain}` : plain
      if (document.title !== wanted) document.title = wanted
    }
    mark()
    const observer = new MutationObserver(mark)
    observer.observe(document.head, { childList: true, characterData: true, subtree: true })
    return () => observer.disconnect()
  }, [n])
}
