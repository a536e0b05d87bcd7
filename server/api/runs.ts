import { createRoute } from '@hono/zod-openapi'
import { claimedTaskSchema } from '#protocol/session.ts'
import { taskViewSchema } from '#protocol/task.ts'
import { claimSchema, heartbeatSchema, releaseSchema } from '#protocol/task-calls.ts'
import { demand } from '#server/auth/principal.ts'
import type { Metrics } from '#server/metrics.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { readsJson } from './body.ts'
import { answers, answersNothing, jsonBody, named, secured, sessionParams, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface RunsApiDeps {
  tasks: Tasks
  /** A token good for this task alone. */
  issueTaskToken(taskId: string): Promise<string>
  metrics: Pick<Metrics, 'claimed'>
  /** An agent has asked for work in a session. */
  agentAsked(sessionId: string): void
}

const common = { method: 'post' as const, tags: ['Agents'], security: secured, middleware: readsJson }
const view = named('Task', taskViewSchema)

/** What agents that serve a queue call: take a task, say that it is still run, give it back. */
export function runsApi({ tasks, issueTaskToken, metrics, agentAsked }: RunsApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      path: '/sessions/{sessionId}/tasks/claim',
      summary: 'Take the first task of a queue',
      description:
        'PENDING tasks with a script, the highest priority first, then the oldest. However many agents ask, each task is given to one. `agentId` names one run: asked again with it, because an answer was lost, the same task is given again. 409 where the session is not ACTIVE. The agent then says every 10 s that it lives (`POST /tasks/{taskId}/heartbeat`, or `heartbeat` frames).',
      request: {
        params: sessionParams,
        query: queryOf({}),
        body: jsonBody(named('Claim', claimSchema)),
      },
      responses: {
        ...answersNothing('No task waits'),
        ...answers(
          named('ClaimedTask', claimedTaskSchema),
          'The task, PROCESSING and the run of this agent; its session; and a token good for the task alone',
        ),
      },
    }),
    async c => {
      const { sessionId } = c.req.valid('param')
      const input = c.req.valid('json')
      demand(c.get('principal'), 'write', { sessionId })
      const claimed = await tasks.claim(sessionId, input, { name: `agent:${input.agentId}` })
      metrics.claimed(claimed !== undefined)
      agentAsked(sessionId)
      if (!claimed) return c.body(null, 204)
      const { task, session } = claimed
      return c.json({ ...(await tasks.view(task)), token: await issueTaskToken(task.id), session }, 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/heartbeat',
      summary: 'Say that a run lives',
      description:
        "For runs that began with `heartbeat: true` or a claim: 40 s without a word, and the agent counts as lost. 409 where the run is not this agent's any more: it must end its script.",
      request: {
        params: taskParams,
        query: queryOf({}),
        body: jsonBody(named('Heartbeat', heartbeatSchema)),
      },
      responses: answers(view, 'The task'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      await taskFor(tasks, c.get('principal'), 'write', taskId)
      return c.json(await tasks.view(await tasks.heartbeat(taskId, c.req.valid('json').agentId)), 200)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      path: '/tasks/{taskId}/release',
      summary: 'PROCESSING → PENDING: give a task back, in the same attempt',
      request: { params: taskParams, query: queryOf({}), body: jsonBody(named('Release', releaseSchema)) },
      responses: answers(view, 'The task, PENDING'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const input = c.req.valid('json')
      await taskFor(tasks, c.get('principal'), 'write', taskId)
      const task = await tasks.release(taskId, input, { name: `agent:${input.agentId}` })
      return c.json(await tasks.view(task), 200)
    },
  )

  return api
}
