/** The login page's address, with the place to come back to. */
export function loginUrl(next: string): string {
  return next === '/' || next === '/tasks' ? '/login' : `/login?next=${encodeURIComponent(next)}`
}

/** Where to go after login: a path of this site, never an address of another. */
export function safeNext(next: string | null): string {
  const base = 'http://site.invalid'
  if (!next?.startsWith('/')) return '/tasks'
  try {
    const url = new URL(next, base)
    if (url.origin !== base || url.pathname === '/login') return '/tasks'
    return url.pathname + url.search + url.hash
  } catch {
    return '/tasks'
  }
}
