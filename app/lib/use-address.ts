import { useSearchParams } from 'next/navigation'
import { useCallback } from 'react'

/** The page's query, and a way to change it in place, without asking the server for the page again. */
export function useAddress(): [
  URLSearchParams,
  (change: (params: URLSearchParams) => URLSearchParams) => void,
] {
  const params = useSearchParams()
  const change = useCallback((next: (params: URLSearchParams) => URLSearchParams) => {
    const query = next(new URLSearchParams(location.search)).toString()
    history.replaceState(null, '', `${location.pathname}${query ? `?${query}` : ''}${location.hash}`)
  }, [])
  return [new URLSearchParams(params), change]
}
