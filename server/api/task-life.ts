import { createRoute } from '@hono/zod-openapi'
import { taskViewSchema } from '#protocol/task.ts'
import {
  failedTaskSchema,
  failSchema,
  progressSchema,
  reasonSchema,
  startedTaskSchema,
  startTaskSchema,
  successSchema,
} from '#protocol/task-calls.ts'
import type { Principal } from '#server/auth/principal.ts'
import type { AutoFixes } from '#server/tasks/auto-fix.ts'
import type { Actor, Tasks } from '#server/tasks/tasks.ts'
import { demandWrite, taskFor } from './access.ts'
import { readsJson } from './body.ts'
import { answers, jsonBody, named, optionalBody, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface TaskLifeApiDeps {
  tasks: Tasks
  autoFixes: Pick<AutoFixes, 'afterFailure'>
  /** A token good for this task alone. */
  issueTaskToken(taskId: string): Promise<string>
}

const view = named('Task', taskViewSchema)
const common = { method: 'post' as const, tags: ['Life of a task'], security: secured, middleware: readsJson }
const request = { params: taskParams, query: queryOf({}) }

/** The calls that move a task on. What its state does not allow is ILLEGAL_TRANSITION and changes nothing. */
export function taskLifeApi({ tasks, autoFixes, issueTaskToken }: TaskLifeApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/start',
      summary: 'PENDING → PROCESSING; an unknown task is created',
      request: { ...request, body: optionalBody(named('StartTask', startTaskSchema)) },
      responses: answers(named('StartedTask', startedTaskSchema), 'The task, and a token good for it alone'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const input = c.req.valid('json')
      const sessionId = await demandWrite(tasks, principal, taskId, input.sessionId)
      const task = await tasks.start(taskId, { ...input, sessionId }, actor(principal, input.agentId))
      return c.json({ ...(await tasks.view(task)), token: await issueTaskToken(taskId) }, 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/success',
      summary: 'PROCESSING → COMPLETED',
      request: { ...request, body: optionalBody(named('Success', successSchema)) },
      responses: answers(view, 'The task'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const { agentId } = await taskFor(tasks, principal, 'write', taskId)
      const task = await tasks.success(taskId, c.req.valid('json'), actor(principal, agentId))
      return c.json(await tasks.view(task), 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/fail',
      summary:
        'PROCESSING → FAILED, or PENDING again where attempts are left; autoFix makes the task that is to mend it',
      request: { ...request, body: optionalBody(named('Failure', failSchema)) },
      responses: answers(named('FailedTask', failedTaskSchema), 'The task, and what became of autoFix'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const principal = c.get('principal')
      const { agentId } = await taskFor(tasks, principal, 'write', taskId)
      const input = c.req.valid('json')
      const by = actor(principal, agentId)
      const task = await tasks.fail(taskId, input, by).catch(async error => {
        // It may be reported again because the server that was told first ended before it made the task.
        const now = await tasks.find(taskId)
        const isSame = now?.status === 'FAILED' && (input.agentId ?? now.agentId) === now.agentId
        if (input.autoFix && isSame) await autoFixes.afterFailure(now, by)
        throw error
      })
      const autoFix = input.autoFix ? await autoFixes.afterFailure(task, by) : undefined
      return c.json({ ...(await tasks.view(task)), ...(autoFix && { autoFix }) }, 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/progress',
      summary: 'Report how far a running task is',
      request: { ...request, body: jsonBody(named('Progress', progressSchema)) },
      responses: answers(view, 'The task'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'write', taskId)
      return c.json(await tasks.view(await tasks.progress(taskId, c.req.valid('json'))), 200)
    },
  )

  const asked = [
    ['cancel', 'PENDING or PROCESSING → CANCELLED; a running child is stopped'],
    ['retry', 'FAILED or CANCELLED → PENDING, as the next attempt'],
  ] as const
  for (const [name, summary] of asked) {
    api.openapi(
      createRoute({
        ...common,
        path: `/tasks/{taskId}/${name}`,
        summary,
        request: { ...request, body: optionalBody(named('Reason', reasonSchema)) },
        responses: answers(view, 'The task'),
      }),
      async c => {
        const { taskId } = c.req.valid('param')
        const principal = c.get('principal')
        await taskFor(tasks, principal, 'operate', taskId)
        const task = await tasks[name](taskId, c.req.valid('json').message, principal)
        return c.json(await tasks.view(task), 200)
      },
    )
  }

  return api
}

/** The agent where one is known, else the caller. */
function actor(principal: Principal, agentId: string | null | undefined): Actor {
  return { name: agentId ? `agent:${agentId}` : principal.name }
}
