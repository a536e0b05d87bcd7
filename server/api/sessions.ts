import { createRoute, z } from '@hono/zod-openapi'
import { listOf } from '#protocol/log-filter.ts'
import { pageOf, pageQueryShape, pageSchema } from '#protocol/page.ts'
import {
  newSessionSchema,
  SESSION_STATUSES,
  sessionPatchSchema,
  sessionStatusSchema,
  sessionViewSchema,
} from '#protocol/session.ts'
import { demand, visibleSessions } from '#server/auth/principal.ts'
import { sessionSeenBy } from '#server/auth/sight.ts'
import type { Sessions } from '#server/tasks/sessions.ts'
import { readsJson } from './body.ts'
import { answers, answersNothing, creates, jsonBody, named, secured, sessionParams } from './describe.ts'
import { listed, queryOf } from './query.ts'
import { createRouter } from './router.ts'

const tags = ['Sessions']
const view = named('Session', sessionViewSchema)
const sessionsQuery = queryOf({
  ...pageQueryShape,
  status: listed(listOf(sessionStatusSchema), SESSION_STATUSES),
  search: z.string().max(200).optional(),
  workspaceId: z.string().min(1).max(200).optional(),
})

export function sessionsApi({ sessions }: { sessions: Sessions }) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'get',
      path: '/sessions',
      tags,
      security: secured,
      summary: 'List sessions, the newest first',
      request: { query: sessionsQuery },
      responses: answers(named('SessionPage', pageSchema(view)), 'A page of sessions'),
    }),
    async c => {
      const { page, size, status, search, workspaceId } = c.req.valid('query')
      const principal = c.get('principal')
      const ids = visibleSessions(principal) ?? undefined
      const found = await sessions.list({ statuses: status, ids, search, workspaceId, page, size })
      const shown = found.sessions.map(session => sessionSeenBy(principal, session))
      return c.json(pageOf(shown, page, size, found.total), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'post',
      path: '/sessions',
      tags,
      security: secured,
      summary: 'Create a session',
      request: { query: queryOf({}), body: jsonBody(named('NewSession', newSessionSchema)) },
      responses: creates(view, 'The session'),
      middleware: readsJson,
    }),
    async c => {
      const input = c.req.valid('json')
      demand(c.get('principal'), 'operate', { sessionId: input.id })
      return c.json(await sessions.view(await sessions.create(input)), 201)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: '/sessions/{sessionId}',
      tags,
      security: secured,
      summary: "Read a session; the values of its template's variables are for those who may run tasks",
      request: { params: sessionParams, query: queryOf({}) },
      responses: answers(view, 'The session'),
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      const principal = c.get('principal')
      demand(principal, 'read', { sessionId })
      const session = await sessions.view(await sessions.get(sessionId))
      return c.json(sessionSeenBy(principal, session), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'patch',
      path: '/sessions/{sessionId}',
      tags,
      security: secured,
      summary: 'Change a session',
      request: {
        params: sessionParams,
        query: queryOf({}),
        body: jsonBody(named('SessionPatch', sessionPatchSchema)),
      },
      responses: answers(view, 'The session as it is now'),
      middleware: readsJson,
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      demand(c.get('principal'), 'operate', { sessionId })
      return c.json(await sessions.view(await sessions.patch(sessionId, c.req.valid('json'))), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'delete',
      path: '/sessions/{sessionId}',
      tags,
      security: secured,
      summary: 'Delete a session with its tasks and their logs; not while one runs',
      request: { params: sessionParams, query: queryOf({}) },
      responses: answersNothing('It is gone'),
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      demand(c.get('principal'), 'delete', { sessionId })
      await sessions.remove(sessionId)
      return c.body(null, 204)
    },
  )

  return api
}
