import { KerutaError } from '#protocol/errors.ts'
import type { Principal } from './principal.ts'
import { type AuthRequest, isLoopback } from './request.ts'

/**
 * Throws FOREIGN_ORIGIN where a page of another site makes the browser call. That matters where the browser is trusted for
 * what it is (its cookie, or nothing at all with `KERUTA_AUTH=off`); who shows a token by other means may come from anywhere.
 */
export function checkOrigin(
  request: AuthRequest,
  via: Principal['via'],
  allowedOrigins: readonly string[],
): void {
  if (via !== 'cookie' && via !== 'off') return
  const host = request.header('host') ?? ''
  if (via === 'off' && !isLoopback(hostName(host))) {
    throw new KerutaError(
      'FOREIGN_ORIGIN',
      `with KERUTA_AUTH=off the server answers to localhost and 127.0.0.1 only, not to "${host}"; use one of those, or turn authentication on`,
    )
  }
  const origin = request.header('origin')
  if (origin === undefined || allowedOrigins.includes(origin)) return
  const url = URL.parse(origin)
  if (url?.host && url.host === URL.parse(`${url.protocol}//${host}`)?.host) return
  // A page on the user's own disk, or of another server on this machine.
  if (via === 'off' && (origin === 'file://' || isLoopback(url?.hostname ?? ''))) return
  throw new KerutaError(
    'FOREIGN_ORIGIN',
    `calls from pages of ${origin} are refused; add it to KERUTA_ALLOWED_ORIGINS, or send a token in the Authorization header`,
  )
}

function hostName(host: string): string {
  return URL.parse(`http://${host}`)?.hostname ?? ''
}
