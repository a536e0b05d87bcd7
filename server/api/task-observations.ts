import { createRoute } from '@hono/zod-openapi'
import { observationsSchema, observedSchema } from '#protocol/task-calls.ts'
import type { Observe } from '#server/tasks/observations.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { demandWrite } from './access.ts'
import { readsJson } from './body.ts'
import { answers, jsonBody, named, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface TaskObservationsApiDeps {
  tasks: Tasks
  observe: Observe
}

export function taskObservationsApi({ tasks, observe }: TaskObservationsApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'post',
      path: '/tasks/{taskId}/observations',
      tags: ['Life of a task'],
      security: secured,
      summary:
        'Report steps and metrics of a task, also of one that is over; like lines they create an unknown one',
      request: {
        params: taskParams,
        query: queryOf({}),
        body: jsonBody(named('Observations', observationsSchema)),
      },
      responses: answers(named('Observed', observedSchema), 'How many the task has now'),
      middleware: readsJson,
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      await tasks.ensure(taskId, principal, await demandWrite(tasks, principal, taskId))
      return c.json(await observe(taskId, c.req.valid('json')), 200)
    },
  )

  return api
}
