import { createApi } from '#server/api/app.ts'
import { createPostLimit } from '#server/api/post-limit.ts'
import type { Config } from '#server/config.ts'
import { createPages } from '#server/http/pages.ts'
import { createHttpServer, type HttpServer } from '#server/http/server.ts'
import type { Base } from './base.ts'
import type { Live } from './live.ts'
import type { Work } from './work.ts'

/** What is answered at the server's port. */
export function createWeb(base: Base, work: Work, live: Live, config: Config, version: string): HttpServer {
  const { auth, bus, limits, logger, metrics, queries, store } = base
  const { tasks, sessions, daemons, artifacts, inputs, autoFixes, observe, ingest, deleteLogs } = work

  const postLimit = createPostLimit(config.ingestRate, limits)
  const api = createApi({
    auth,
    tasks,
    sessions,
    agentAsked: sessionId => daemons.asked(sessionId),
    artifacts,
    artifactSent: metrics.artifactSent,
    inputs,
    autoFixes,
    observe,
    queries,
    logger,
    metrics,
    version,
    allowedOrigins: config.allowedOrigins,
    parts: { store: () => store.ready() },
    helpers: base.isOneOfMany ? { bus: () => bus.problem() } : {},
    async appendEntries(taskId, entries) {
      await postLimit(taskId)
      return ingest.appendEntries(taskId, entries)
    },
    deleteLogs,
    streamLogs: live.streamLogs,
  })
  const http = createHttpServer({
    api: (request, env) => api.fetch(request, env),
    pages: createPages({ dev: config.dev, dir: import.meta.dirname.replace(/\/server\/compose$/, '') }),
    upgrade: live.upgrade,
    logger,
    metrics,
  })
  live.attach(http.server)
  return http
}
