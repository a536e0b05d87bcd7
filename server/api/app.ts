import { OpenAPIHono } from '@hono/zod-openapi'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Logger } from 'pino'
import { KerutaError } from '#protocol/errors.ts'
import type { Auth } from '#server/auth/auth.ts'
import { type AuthEnv, requirePrincipal } from '#server/auth/middleware.ts'
import { COOKIE_NAME } from '#server/auth/request.ts'
import { notFoundProblem, problemHandler, problemResponse } from '#server/http/problem.ts'
import type { Sessions } from '#server/tasks/sessions.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { apiKeysApi } from './api-keys.ts'
import { type ArtifactContentDeps, artifactContentApi } from './artifact-content.ts'
import { artifactsApi } from './artifacts.ts'
import { docsApi } from './docs.ts'
import { type HealthDeps, healthApi } from './health.ts'
import { type LogFilesApiDeps, logFilesApi } from './log-files.ts'
import { loginApi, meApi } from './login.ts'
import { type LogsApiDeps, logsApi } from './logs.ts'
import { type RunsApiDeps, runsApi } from './runs.ts'
import { sessionTasksApi } from './session-tasks.ts'
import { sessionsApi } from './sessions.ts'
import { type TaskAutoFixApiDeps, taskAutoFixApi } from './task-auto-fix.ts'
import { type TaskInputApiDeps, taskInputApi } from './task-input.ts'
import { taskLifeApi } from './task-life.ts'
import { type TaskObservationsApiDeps, taskObservationsApi } from './task-observations.ts'
import { taskScriptApi } from './task-script.ts'
import { tasksApi } from './tasks.ts'

export interface ApiDeps
  extends LogsApiDeps,
    LogFilesApiDeps,
    ArtifactContentDeps,
    HealthDeps,
    TaskInputApiDeps,
    TaskAutoFixApiDeps,
    TaskObservationsApiDeps {
  auth: Auth
  tasks: Tasks
  sessions: Sessions
  metrics: HealthDeps['metrics'] & RunsApiDeps['metrics']
  agentAsked: RunsApiDeps['agentAsked']
  logger: Logger
  /** Origins whose pages may read the answers, besides the server's own. */
  allowedOrigins: string[]
}

const PREFIX = '/api/v1'

/** Everything that is answered by HTTP besides the console's pages. */
export function createApi(deps: ApiDeps): OpenAPIHono<AuthEnv> {
  const app = new OpenAPIHono<AuthEnv>()

  app.onError(problemHandler(deps.logger))
  app.notFound(notFoundProblem)
  app.use(
    '/api/*',
    cors({
      origin: deps.allowedOrigins,
      credentials: true,
      exposeHeaders: ['Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag', 'Retry-After'],
    }),
  )
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allowed = methods.join(', ')
        const error = new KerutaError(
          'METHOD_NOT_ALLOWED',
          `${c.req.path} takes ${allowed}, not ${c.req.method}`,
        )
        const response = problemResponse(error)
        response.headers.set('Allow', allowed)
        return response
      },
    }),
  )

  app.use(`${PREFIX}/*`, async (c, next) => {
    await next()
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
  })
  app.route(PREFIX, loginApi(deps))
  app.use(`${PREFIX}/*`, requirePrincipal(deps.auth))
  const issueTaskToken = (taskId: string) => deps.auth.issueTaskToken(taskId)
  app.route(PREFIX, logsApi(deps))
  app.route(PREFIX, logFilesApi(deps))
  app.route(PREFIX, tasksApi(deps))
  app.route(PREFIX, taskLifeApi({ ...deps, issueTaskToken }))
  app.route(PREFIX, runsApi({ ...deps, issueTaskToken }))
  app.route(PREFIX, taskInputApi(deps))
  app.route(PREFIX, taskAutoFixApi(deps))
  app.route(PREFIX, taskObservationsApi(deps))
  app.route(PREFIX, taskScriptApi(deps))
  app.route(PREFIX, sessionsApi(deps))
  app.route(PREFIX, sessionTasksApi(deps))
  app.route(PREFIX, artifactsApi(deps))
  app.route(PREFIX, artifactContentApi(deps))
  app.route(PREFIX, apiKeysApi({ keys: deps.auth.keys }))
  app.route(PREFIX, meApi(deps))
  app.route('/api/docs', docsApi())
  app.route('/', healthApi(deps))

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key or a JWT',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: COOKIE_NAME,
  })
  app.doc31('/api/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'keruta',
      version: deps.version,
      description:
        'Tasks, their sessions, and every line that they print. Errors are problem documents (RFC 9457).',
    },
  })
  return app
}
