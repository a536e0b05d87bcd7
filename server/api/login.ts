import { createRoute } from '@hono/zod-openapi'
import { loginSchema, type Me, meSchema } from '#protocol/auth.ts'
import type { Auth } from '#server/auth/auth.ts'
import { fromContext } from '#server/auth/middleware.ts'
import type { Principal } from '#server/auth/principal.ts'
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

/** In and out of the console: open to everybody. */
export function loginApi(deps: LoginApiDeps) {
  const { auth } = deps
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
      const { principal, cookie } = await auth.login(fromContext(c), c.req.valid('json').key)
      return c.json(meOf(principal, deps), 200, { 'Set-Cookie': cookie })
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
      c.header('Set-Cookie', auth.logoutCookie(fromContext(c)))
      return c.body(null, 204)
    },
  )

  return api
}

/** Who is asking. */
export function meApi(deps: LoginApiDeps) {
  const api = createRouter()

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
    c => c.json(meOf(c.get('principal'), deps), 200),
  )

  return api
}

function meOf({ name, role, sessionIds, taskId }: Principal, { auth, version }: LoginApiDeps): Me {
  return { name, role, sessionIds, taskId, authRequired: auth.required, version }
}
