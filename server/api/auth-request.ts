import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { Auth } from '#server/auth/auth.ts'
import { type AuthRequest, fromFetch } from '#server/auth/request.ts'
import type { ApiEnv } from './router.ts'

/** The call as authentication reads it. The socket is known where a Node server passes the call on. */
export function authRequest(c: Context): AuthRequest {
  const bindings = c.env as Partial<HttpBindings> | undefined
  return fromFetch(c.req.raw, bindings?.incoming?.socket.remoteAddress ?? '')
}

/** Puts the caller into the context, or refuses; the paths named are open to everybody. */
export function authenticates(
  auth: Pick<Auth, 'authenticate'>,
  open: readonly string[],
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (!open.includes(c.req.path)) c.set('principal', await auth.authenticate(authRequest(c)))
    await next()
  }
}
