import { createRoute, z } from '@hono/zod-openapi'
import { taskViewSchema } from '#protocol/task.ts'
import { inputSchema, waitingSchema } from '#protocol/task-calls.ts'
import type { Inputs } from '#server/tasks/input.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { readsJson } from './body.ts'
import { accepts, answers, jsonBody, named, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface TaskInputApiDeps {
  tasks: Tasks
  inputs: Pick<Inputs, 'waiting' | 'send'>
}

const common = { method: 'post' as const, tags: ['Input'], security: secured, middleware: readsJson }
const request = { params: taskParams, query: queryOf({}) }

/** A script that waits on its stdin, and what is typed to it. */
export function taskInputApi({ tasks, inputs }: TaskInputApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/waiting',
      summary: 'An agent says that its script waits for input, or (prompt null) goes on',
      request: { ...request, body: jsonBody(named('Waiting', waitingSchema)) },
      responses: answers(named('Task', taskViewSchema), 'The task'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'write', taskId)
      return c.json(await tasks.view(await inputs.waiting(taskId, c.req.valid('json'))), 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/input',
      summary: "Type something to a running script; kept until its agent has it, or the run's end",
      request: { ...request, body: jsonBody(named('Input', inputSchema)) },
      responses: accepts(
        named('AcceptedInput', z.object({ id: z.string() })),
        'It is on its way; the text is shown nowhere',
      ),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      await taskFor(tasks, principal, 'operate', taskId)
      return c.json({ id: await inputs.send(taskId, c.req.valid('json'), principal) }, 202)
    },
  )

  return api
}
