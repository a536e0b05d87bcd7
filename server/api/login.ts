import { createRoute } from '@hono/zod-openapi'
import { loginSchema, type Me, meSchema } from '#protocol/auth.ts'
import type { Auth } from '#server/auth/auth.ts'
import type { Principal } from '#server/auth/principal.ts'
import { authRequest } from './auth-request.ts'
import { readsJson } from './body.ts'
import { answers, answersNothing, jsonBody, named, secured } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface LoginApiDeps {
  auth: Pick<Auth, 'login' | 'logoutCookie' | 'required'>
  /** The product's version. */
  version: string
}

const tags = ['Login']
const me = named('Me', meSchema)

export function loginApi({ auth, version }: LoginApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'post',
      path: '/login',
      tags,
      security: [],
      summary: "Exchange an API key or JWT for the console's cookie",
      request: { query: queryOf({}), body: jsonBody(named('Login', loginSchema)) },
      responses: answers(me, 'Who is logged in now'),
      middleware: readsJson,
    }),
    async c => {
      const { principal, cookie } = await auth.login(authRequest(c), c.req.valid('json').key)
      return c.json(meOf(principal), 200, { 'Set-Cookie': cookie, 'Cache-Control': 'no-store' })
    },
  )

  api.openapi(
    createRoute({
      method: 'post',
      path: '/logout',
      tags,
      security: [],
      summary: "End the console's session",
      request: { query: queryOf({}) },
      responses: answersNothing('The cookie is taken back'),
    }),
    c => {
      c.header('Set-Cookie', auth.logoutCookie(authRequest(c)))
      return c.body(null, 204)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: '/me',
      tags,
      security: secured,
      summary: 'Who is asking',
      request: { query: queryOf({}) },
      responses: answers(me, 'The caller'),
    }),
    c => c.json(meOf(c.get('principal')), 200, { 'Cache-Control': 'no-store' }),
  )

  function meOf({ name, role, sessionIds, taskId }: Principal): Me {
    return { name, role, sessionIds, taskId, authRequired: auth.required, version }
  }

  return api
}
