import { createRoute, z } from '@hono/zod-openapi'
import { KerutaError } from '#protocol/errors.ts'
import { MAX_SCRIPT_CHARS } from '#protocol/task.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { readText } from './body.ts'
import { answersNothing, answersText, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

const common = { path: '/tasks/{taskId}/script' as const, tags: ['Tasks'], security: secured }
const request = { params: taskParams, query: queryOf({}) }

export function taskScriptApi({ tasks }: { tasks: Tasks }) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      method: 'get',
      summary: "Read the script's text",
      request,
      responses: answersText('The script', 'text/plain'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { script } = await taskFor(tasks, c.get('principal'), 'read', taskId)
      if (script !== null) return c.text(script)
      throw new KerutaError('NOT_FOUND', `task ${taskId} has no script`)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      method: 'put',
      summary: "Set the script's text; not while the task runs",
      request: {
        ...request,
        body: { content: { 'text/plain': { schema: z.string().max(MAX_SCRIPT_CHARS) } } },
      },
      responses: answersNothing('It is kept'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'operate', taskId)
      const script = await readText(c, ['text/*', 'application/x-sh', 'application/octet-stream'])
      if (script.length > MAX_SCRIPT_CHARS)
        throw new KerutaError('TOO_LARGE', `the script is over ${MAX_SCRIPT_CHARS} characters`)
      await tasks.patch(taskId, { script })
      return c.body(null, 204)
    },
  )

  return api
}
