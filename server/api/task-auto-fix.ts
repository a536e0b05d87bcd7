import { createRoute } from '@hono/zod-openapi'
import { taskViewSchema } from '#protocol/task.ts'
import { autoFixContextSchema, autoFixSchema } from '#protocol/task-calls.ts'
import type { AutoFixes } from '#server/tasks/auto-fix.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { readsJson } from './body.ts'
import { answers, creates, named, optionalBody, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface TaskAutoFixApiDeps {
  tasks: Tasks
  autoFixes: AutoFixes
}

const common = { path: '/tasks/{taskId}/auto-fix' as const, tags: ['Auto-fix'], security: secured }
const request = { params: taskParams, query: queryOf({}) }
const view = named('Task', taskViewSchema)

/** Tasks that mend failed ones. */
export function taskAutoFixApi({ tasks, autoFixes }: TaskAutoFixApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      method: 'post',
      summary:
        'Make the task that is to mend this failed one, unless there is one; a command needs an operator',
      request: { ...request, body: optionalBody(named('AutoFix', autoFixSchema)) },
      responses: { ...answers(view, 'The task that there was'), ...creates(view, 'The task, PENDING') },
      middleware: readsJson,
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const { command } = c.req.valid('json')
      await taskFor(tasks, principal, command === undefined ? 'write' : 'operate', taskId)
      const { task, created } = await autoFixes.request(taskId, principal, command)
      const shown = await tasks.view(task)
      return created ? c.json(shown, 201) : c.json(shown, 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      method: 'get',
      summary: 'What an auto-fix task is to mend: script, error and last lines of the failed one',
      request,
      responses: answers(named('AutoFixContext', autoFixContextSchema), 'The failure'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'read', taskId)
      return c.json(await autoFixes.context(taskId), 200)
    },
  )

  return api
}
