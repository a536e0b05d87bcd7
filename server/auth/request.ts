import type { IncomingMessage } from 'node:http'
import { KerutaError } from '#protocol/errors.ts'

/** What authentication reads of a call, be it a fetch `Request` or a WebSocket's upgrade. */
export interface AuthRequest {
  /** Lower-case name. */
  header(name: string): string | undefined
  /** As on the request line, or absolute. */
  url: string
  /** Address of the other end of the connection. */
  remote: string
  encrypted: boolean
}

export interface Credential {
  via: 'header' | 'query' | 'cookie'
  token: string
}

export const COOKIE_NAME = 'keruta_session'

export function fromNode(request: IncomingMessage): AuthRequest {
  return {
    header: name => {
      const value = request.headers[name]
      return Array.isArray(value) ? value[0] : value
    },
    url: request.url ?? '/',
    remote: request.socket.remoteAddress ?? '',
    encrypted: 'encrypted' in request.socket,
  }
}

export function fromFetch(request: Request, remote: string): AuthRequest {
  return {
    header: name => request.headers.get(name) ?? undefined,
    url: request.url,
    remote,
    encrypted: request.url.startsWith('https:'),
  }
}

/** The first of: `Authorization: Bearer`, `X-API-Key`, `?token=`, the console's cookie. */
export function credentialOf(request: AuthRequest): Credential | undefined {
  const authorization = request.header('authorization')
  if (authorization !== undefined) return { via: 'header', token: bearerToken(authorization) }
  const apiKey = request.header('x-api-key')
  if (apiKey) return { via: 'header', token: apiKey.trim() }
  const query = request.url.indexOf('?')
  const token = query === -1 ? null : new URLSearchParams(request.url.slice(query)).get('token')
  if (token) return { via: 'query', token }
  const cookie = cookieValue(request.header('cookie'), COOKIE_NAME)
  return cookie ? { via: 'cookie', token: cookie } : undefined
}

/** Whether the browser speaks TLS, to this server or to the proxy before it. */
export function isSecure(request: AuthRequest): boolean {
  return request.encrypted || request.header('x-forwarded-proto')?.split(',')[0]?.trim() === 'https'
}

/**
 * The caller's address. What a proxy says of it is believed from the proxies that are known; anybody else could forge it.
 * @param isProxy besides those on this machine
 */
export function clientAddress(request: AuthRequest, isProxy: (address: string) => boolean): string {
  const hops = (request.header('x-forwarded-for') ?? '').split(',').flatMap(hop => hop.trim() || [])
  let address = request.remote
  while (hops.length > 0 && (isLoopback(address) || isProxy(address))) address = hops.pop()!
  return address
}

/** `host` as in a URL, without a port: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(host: string): boolean {
  const name = host
    .replace(/^\[|\]$/g, '')
    .replace(/^::ffff:/, '')
    .toLowerCase()
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
  )
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  if (token) return token
  throw new KerutaError(
    'UNAUTHENTICATED',
    'the Authorization header must be "Bearer" and an API key or JWT, as in "Authorization: Bearer kerutakey_…"',
  )
}

function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=')
    if (part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim()
  }
  return undefined
}
