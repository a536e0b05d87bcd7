import { KerutaError } from '#protocol/errors.ts'

/** Why Redis is away, in words that go into brackets. */
export function problemOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException
  if (isLogin(message)) return 'it refuses the login: check user and password in REDIS_URL'
  // The client's own words for one that is taken for lost.
  if (message === 'Command timed out' || name === 'MaxRetriesPerRequestError') return 'it does not answer'
  return message || code || String(error)
}

/**
 * What no waiting mends, for the operator who starts the server.
 * @param place `host:port`
 */
export function refusalOf(error: unknown, place: string): KerutaError | undefined {
  const { message = '' } = (error ?? {}) as Error
  if (isLogin(message))
    return refusal(`Redis at ${place} refuses the login: check user and password in REDIS_URL`)
  if (message.startsWith('NOPERM'))
    return refusal(
      `the user of REDIS_URL may not use Redis at ${place} as it must (${message}): allow it ~keruta:* &keruta:* +@all`,
    )
  return undefined

  function refusal(text: string) {
    return new KerutaError('FORBIDDEN', text, { cause: error })
  }
}

function isLogin(message: string): boolean {
  return /^(NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password)/.test(message)
}
