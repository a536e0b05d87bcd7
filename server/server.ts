import type { Server } from 'node:http'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { KerutaError } from '#protocol/errors.ts'
import { uuidv7 } from '#protocol/ids.ts'
import { TERMINAL_STATUSES } from '#protocol/task.ts'
import { demandWrite } from './api/access.ts'
import { createApi } from './api/app.ts'
import { ensureAdminKey } from './auth/admin-key.ts'
import { createAuth } from './auth/auth.ts'
import { demand, type Principal, visibleSessions } from './auth/principal.ts'
import { fromNode } from './auth/request.ts'
import { loadSecret } from './auth/secret.ts'
import type { Config } from './config.ts'
import { createPages } from './http/pages.ts'
import { refuseUpgrade } from './http/refuse.ts'
import { createHttpServer } from './http/server.ts'
import { Hub } from './live/hub.ts'
import { LiveWriters } from './live/live-writers.ts'
import { createSocketIo } from './live/socket-io.ts'
import { createSse } from './live/sse.ts'
import { StatsFeed } from './live/stats-feed.ts'
import { createTaskSockets } from './live/websocket.ts'
import { createLogger } from './logger.ts'
import { startCompactor } from './logs/compact.ts'
import { deleteLogs } from './logs/delete.ts'
import { createIngest } from './logs/ingest.ts'
import { logState } from './logs/log-state.ts'
import { openLogQueries } from './logs/query-pool.ts'
import { createMetrics } from './metrics.ts'
import { openStore, type StoreLocation } from './store/open.ts'
import { createSessions } from './tasks/sessions.ts'
import { createTasks, type TaskChange } from './tasks/tasks.ts'

export interface RunningServer {
  server: Server
  /** The admin key, where this start made it. */
  newAdminKey: string | undefined
  close(): Promise<void>
}

/** Opens everything, wires it, and listens. @throws KerutaError, with a message for the operator, where that cannot be */
export async function startServer(config: Config, version: string): Promise<RunningServer> {
  const { dataDir, databaseUrl } = config
  const logger = createLogger(config.logLevel)
  const location: StoreLocation = databaseUrl
    ? { kind: 'mongodb', url: databaseUrl }
    : { kind: 'sqlite', dataDir }
  const store = await openStore(location)
  const { segments } = store
  const now = Date.now

  const auth = createAuth({
    mode: config.auth,
    apiKeys: store.apiKeys,
    jwtSecret: config.jwtSecret ?? (await loadSecret(dataDir)),
    allowedOrigins: config.allowedOrigins,
  })
  const metrics = createMetrics(() => store.tasks.countBy('status'))
  const queries = openLogQueries(location, { regexBudgetMs: config.regexBudgetMs })
  const compactor = startCompactor({ store: segments, location, logger })

  const hub = new Hub({
    queries,
    maxQueueBytes: config.readerQueueBytes,
    maxPerSecond: config.readerRate,
    onGap: metrics.gap,
    onSent: metrics.sent,
  })
  const writers = new LiveWriters()
  const tasks = createTasks({
    store,
    segments,
    logState: (task, head) => logState(head, task.status, writers.has(task.id)),
    deleteLogs: taskId => deleteLogs(segments, taskId),
    onChange: change =>
      void announce(change).catch(err => logger.error({ err }, 'a change could not be announced')),
    clock: now,
    newId: uuidv7,
  })
  const sessions = createSessions({ store, removeTask: tasks.remove, clock: now, newId: uuidv7 })
  const stats = new StatsFeed(
    taskIds => void announceStats(taskIds).catch(err => logger.error({ err }, 'stats failed')),
  )
  const ingest = createIngest({
    segments,
    ensureTask: taskId => tasks.ensure(taskId, { name: 'agent' }),
    publish(taskId, firstSeq, segment) {
      hub.publish(taskId, firstSeq, segment)
      stats.changed(taskId)
    },
    onCommit(lines, bytes, seconds) {
      metrics.received(lines, bytes)
      metrics.ingested(seconds)
    },
    now,
  })

  const lastSeq = async (taskId: string) => (await segments.head(taskId)).lastSeq
  const access = {
    async read(principal: Principal, taskId: string) {
      demand(principal, 'read', { taskId, sessionId: (await tasks.find(taskId))?.sessionId ?? null })
    },
    async write(principal: Principal, taskId: string) {
      await tasks.ensure(taskId, principal, await demandWrite(tasks, principal, taskId))
    },
  }
  const readers = { hub, access, lastSeq, watchToken: auth.watch }
  const sockets = createTaskSockets({
    ...readers,
    ingest,
    authenticate: request => auth.authenticate(fromNode(request)),
    refuse: (socket, error) => refuseUpgrade(socket, error, err => logger.error({ err }, 'upgrade failed')),
    isCancelled: async taskId => (await tasks.find(taskId))?.status === 'CANCELLED',
    writer(taskId) {
      const leave = writers.add(taskId)
      return () => {
        leave()
        stats.changed(taskId)
      }
    },
    reader: () => metrics.reader('websocket'),
    maxMessagesPerSecond: config.ingestRate,
  })
  const socketIo = createSocketIo({
    ...readers,
    authenticate: request => auth.authenticate(fromNode(request)),
    visibleSessions,
    reader: () => metrics.reader('socketio'),
  })

  const postLimit = createPostLimit(config.ingestRate)
  const api = createApi({
    auth,
    tasks,
    sessions,
    queries,
    logger,
    metrics,
    version,
    allowedOrigins: config.allowedOrigins,
    parts: { store: () => store.ready() },
    async appendEntries(taskId, entries) {
      await postLimit(taskId)
      return ingest.appendEntries(taskId, entries)
    },
    async deleteLogs(taskId, before) {
      const deleted = await deleteLogs(segments, taskId, before)
      const totals = (await segments.totals([taskId])).get(taskId)
      socketIo.cleared(taskId, totals?.firstSeq ?? 0)
      stats.changed(taskId)
      return deleted
    },
    streamLogs: createSse({ ...readers, reader: () => metrics.reader('sse') }),
  })
  const pages = createPages({ dev: config.dev, dir: import.meta.dirname.replace(/\/server$/, '') })
  const http = createHttpServer({
    api: (request, env) => api.fetch(request, env),
    pages,
    upgrade(request, socket, head) {
      const path = request.url ?? ''
      if (path.startsWith('/socket.io')) return true // Socket.IO listens by itself.
      if (!path.startsWith('/ws/')) return false
      sockets.upgrade(request, socket, head)
      return true
    },
    logger,
    metrics,
  })
  socketIo.attach(http.server)

  async function announce({ kind, task, before }: TaskChange): Promise<void> {
    if (kind === 'deleted') {
      socketIo.taskDeleted(task.id, task.sessionId)
      return
    }
    const moved = task.status !== before?.status
    if (moved && task.status === 'CANCELLED')
      hub.notify(task.id, { kind: 'cancel', taskId: task.id, message: task.message })
    if (moved && TERMINAL_STATUSES.includes(task.status)) compactor.taskEnded(task.id)
    const view = await tasks.view(task)
    hub.notify(task.id, { kind: moved ? 'status' : 'progress', task: view })
    socketIo.task(view)
  }

  async function announceStats(taskIds: string[]): Promise<void> {
    for (const taskId of taskIds) {
      const task = await tasks.find(taskId)
      if (task && socketIo.hasListeners(taskId, task.sessionId)) socketIo.stats(await tasks.view(task))
    }
  }

  await http.listen(config.port, config.host)
  await http.ready()
  // Last, because the key is shown once only: a start that fails must not have made it.
  const adminKey = config.auth === 'on' ? await ensureAdminKey(auth.keys, config.adminKey) : undefined

  return {
    server: http.server,
    newAdminKey: adminKey?.created ? adminKey.key : undefined,
    async close() {
      await http.close()
      await socketIo.close()
      stats.close()
      await ingest.idle()
      await compactor.close()
      await queries.close()
      await store.close()
    },
  }
}

/** Holds REST writers of a task to so many calls a second. */
function createPostLimit(perSecond: number): (taskId: string) => Promise<void> {
  if (perSecond === 0) return async () => {}
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 })
  return async taskId => {
    try {
      await limiter.consume(taskId)
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error
      const message = `more than ${perSecond} calls a second for this task: send several entries in one call, or wait`
      throw new KerutaError('RATE_LIMITED', message, { retryAfterMs: Math.max(1, error.msBeforeNext) })
    }
  }
}
