import { createRoute } from '@hono/zod-openapi'
import { pageOf, pageSchema } from '#protocol/page.ts'
import { taskRowSchema, taskViewSchema } from '#protocol/task.ts'
import { newTaskSchema } from '#protocol/task-calls.ts'
import { demand } from '#server/auth/principal.ts'
import { taskSeenBy } from '#server/auth/sight.ts'
import type { Sessions } from '#server/tasks/sessions.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { readsJson } from './body.ts'
import { answers, creates, jsonBody, named, secured, sessionParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'
import { queueOf, sessionTasksQuery } from './task-query.ts'

const common = { path: '/sessions/{sessionId}/tasks' as const, tags: ['Sessions'], security: secured }
const view = named('Task', taskViewSchema)
const row = named('TaskRow', taskRowSchema)

/** A session's queue. */
export function sessionTasksApi({ sessions, tasks }: { sessions: Sessions; tasks: Tasks }) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      method: 'get',
      summary: "List a session's tasks, in the order in which they are taken",
      request: { params: sessionParams, query: sessionTasksQuery },
      responses: answers(
        named('TaskPage', pageSchema(row)),
        'A page of tasks, without steps and metrics, and of the changes with the last alone',
      ),
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      const query = c.req.valid('query')
      const principal = c.get('principal')
      demand(principal, 'read', { sessionId })
      await sessions.get(sessionId)
      const found = await tasks.list(queueOf(query, sessionId))
      const rows = found.tasks.map(task => taskSeenBy(principal, task))
      return c.json(pageOf(rows, query.page, query.size, found.total), 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      method: 'post',
      summary: 'Create a task in a session',
      request: {
        params: sessionParams,
        query: queryOf({}),
        body: jsonBody(named('NewSessionTask', newTaskSchema.omit({ sessionId: true }))),
      },
      responses: creates(view, 'The task, PENDING'),
      middleware: readsJson,
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      const principal = c.get('principal')
      demand(principal, 'operate', { sessionId })
      await sessions.get(sessionId)
      const task = await tasks.create({ ...c.req.valid('json'), sessionId }, principal)
      return c.json(await tasks.view(task), 201)
    },
  )

  return api
}
