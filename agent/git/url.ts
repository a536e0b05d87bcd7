/** A text with user names and passwords taken out of the URLs in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s'"]*@/gi, '$1')
}

/** A folder's name after a repository: `https://host/team/app.git` and `git@host:team/app` give `app`. */
export function nameOfRepository(url: string): string {
  const last = url
    .replace(/[/\\]+$/, '')
    .split(/[/\\:]/)
    .pop()!
    .replace(/\.git$/, '')
    .replace(/[^\w.-]/g, '-')
    .replace(/^[.-]+/, '')
  return last.slice(0, 100) || 'repository'
}

/** Why this may not be given to git; nothing where it may. */
export function whyUnusable(url: string): string | undefined {
  if (url.startsWith('-')) return 'it begins with a dash'
  // Transports that run a command on this machine.
  if (/^[a-z][\w+.-]*::/i.test(url)) return 'transports with :: are not used'
  return undefined
}
