import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { Auth } from './auth.ts'
import type { Principal } from './principal.ts'
import { type AuthRequest, fromFetch, fromNode } from './request.ts'

/** What Hono apps behind `requirePrincipal` find in their context. */
export interface AuthEnv {
  Variables: { principal: Principal }
}

/** Answers 401 or 403 to strangers, else puts the caller into `c.var.principal`. */
export function requirePrincipal(auth: Auth): MiddlewareHandler<AuthEnv> {
  return async (c, next) => {
    c.set('principal', await auth.authenticate(fromContext(c)))
    await next()
  }
}

/** A Hono call as authentication reads it, also where there is no connection (`app.request` in tests). */
export function fromContext(c: Context): AuthRequest {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  return incoming ? fromNode(incoming) : fromFetch(c.req.raw, '')
}
