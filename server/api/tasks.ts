import { createRoute } from '@hono/zod-openapi'
import { pageOf, pageSchema } from '#protocol/page.ts'
import { taskRowSchema, taskViewSchema } from '#protocol/task.ts'
import { newTaskSchema, taskPatchSchema } from '#protocol/task-calls.ts'
import { demand, visibleSessions } from '#server/auth/principal.ts'
import { taskSeenBy } from '#server/auth/sight.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { readsJson } from './body.ts'
import { answers, answersNothing, creates, jsonBody, named, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'
import { tasksOf, tasksQuery } from './task-query.ts'

const tags = ['Tasks']
const view = named('Task', taskViewSchema)
const row = named('TaskRow', taskRowSchema)

export function tasksApi({ tasks }: { tasks: Tasks }) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'get',
      path: '/tasks',
      tags,
      security: secured,
      summary: 'List tasks, the newest first',
      request: { query: tasksQuery },
      responses: answers(
        named('TaskPage', pageSchema(row)),
        'A page of tasks, without what may be large: script, env, steps, metrics, and all but the last change',
      ),
    }),
    async c => {
      const query = c.req.valid('query')
      const visible = visibleSessions(c.get('principal'))
      const sessionIds = query.sessionId?.filter(id => visible === null || visible.includes(id)) ?? visible
      const found = await tasks.list(tasksOf(query, sessionIds ?? undefined))
      return c.json(pageOf(found.tasks, query.page, query.size, found.total), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'post',
      path: '/tasks',
      tags,
      security: secured,
      summary: 'Create a task',
      request: { query: queryOf({}), body: jsonBody(named('NewTask', newTaskSchema)) },
      responses: creates(view, 'The task, PENDING'),
      middleware: readsJson,
    }),
    async c => {
      const input = c.req.valid('json')
      const principal = c.get('principal')
      demand(principal, 'operate', { sessionId: input.sessionId })
      return c.json(await tasks.view(await tasks.create(input, principal)), 201)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: '/tasks/{taskId}',
      tags,
      security: secured,
      summary: 'Read a task; the values of its variables are for those who may run it',
      request: { params: taskParams, query: queryOf({}) },
      responses: answers(view, 'The task'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const task = await taskFor(tasks, principal, 'read', taskId)
      return c.json(taskSeenBy(principal, await tasks.view(task)), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'patch',
      path: '/tasks/{taskId}',
      tags,
      security: secured,
      summary: 'Change what a task is; its script and env only while it does not run',
      request: {
        params: taskParams,
        query: queryOf({}),
        body: jsonBody(named('TaskPatch', taskPatchSchema)),
      },
      responses: answers(view, 'The task as it is now'),
      middleware: readsJson,
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'operate', taskId)
      return c.json(await tasks.view(await tasks.patch(taskId, c.req.valid('json'))), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'delete',
      path: '/tasks/{taskId}',
      tags,
      security: secured,
      summary: 'Delete a task and its log; not while it runs',
      request: { params: taskParams, query: queryOf({}) },
      responses: answersNothing('It is gone'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const task = await tasks.find(taskId)
      demand(principal, 'delete', { taskId, sessionId: task?.sessionId ?? null })
      await tasks.remove(taskId)
      return c.body(null, 204)
    },
  )

  return api
}
