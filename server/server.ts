import { createHash } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RateLimiterRes } from 'rate-limiter-flexible'
import { KerutaError } from '#protocol/errors.ts'
import { uuidv7 } from '#protocol/ids.ts'
import { createAnnouncer } from './announce.ts'
import { demandWrite } from './api/access.ts'
import { createApi } from './api/app.ts'
import { createArtifacts } from './artifacts/artifacts.ts'
import { startSweep } from './artifacts/sweep.ts'
import { ensureAdminKey } from './auth/admin-key.ts'
import { createAuth } from './auth/auth.ts'
import { type Limits, memoryLimits } from './auth/limits.ts'
import { demand, type Principal, visibleSessions } from './auth/principal.ts'
import { fromNode } from './auth/request.ts'
import { newSecret } from './auth/secret.ts'
import type { Config } from './config.ts'
import { createPages } from './http/pages.ts'
import { refuseUpgrade } from './http/refuse.ts'
import { createHttpServer } from './http/server.ts'
import { follow } from './live/bus/follow.ts'
import { LocalBus } from './live/bus/local-bus.ts'
import { createRedis } from './live/bus/redis.ts'
import { openRedisBus } from './live/bus/redis-bus.ts'
import { createRedisLimits } from './live/bus/redis-limits.ts'
import { RemoteWriters } from './live/bus/remote-writers.ts'
import { Hub } from './live/hub.ts'
import { LiveWriters } from './live/live-writers.ts'
import { SessionHub } from './live/session-hub.ts'
import { createSessionSockets } from './live/session-sockets.ts'
import { createSocketIo } from './live/socket-io.ts'
import { createSse } from './live/sse.ts'
import { StatsFeed } from './live/stats-feed.ts'
import { createTaskSockets } from './live/websocket.ts'
import { createLogger } from './logger.ts'
import { startCompactor } from './logs/compact.ts'
import { deleteLogs } from './logs/delete.ts'
import { createIngest } from './logs/ingest.ts'
import { lastLines } from './logs/last-lines.ts'
import { logState } from './logs/log-state.ts'
import { openLogQueries } from './logs/query-pool.ts'
import { sayOnce } from './logs/say-once.ts'
import { createMetrics } from './metrics.ts'
import { openStore, type StoreLocation } from './store/open.ts'
import { createAutoFixes } from './tasks/auto-fix.ts'
import { Heartbeats } from './tasks/heartbeats.ts'
import { createInputs, type Inputs } from './tasks/input.ts'
import { narrate } from './tasks/narrate.ts'
import { createObserver } from './tasks/observations.ts'
import { queueDepth } from './tasks/queue.ts'
import { createSessions } from './tasks/sessions.ts'
import { createTasks, type TaskChange } from './tasks/tasks.ts'
import { startWatch } from './tasks/watch.ts'

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
  const monotonic = () => performance.now()

  const jwtSecret = config.jwtSecret ?? (await store.sharedSecret(newSecret()))
  // Others may use the same Redis; who has the same secret belongs to us.
  const name = createHash('sha256').update(`bus ${jwtSecret}`).digest('hex').slice(0, 12)
  const redis = config.redisUrl === undefined ? undefined : createRedis(config.redisUrl)
  const bus = redis ? await openRedisBus({ redis, name, logger }) : new LocalBus()
  const limits = redis ? createRedisLimits({ redis, name }) : memoryLimits

  const auth = createAuth({
    mode: config.auth,
    apiKeys: store.apiKeys,
    jwtSecret,
    allowedOrigins: config.allowedOrigins,
    limits,
    onRevoked: keyId => bus.send({ type: 'keyRevoked', keyId }),
  })
  const metrics = createMetrics(
    () => store.tasks.countBy('status'),
    () => bus.problem() === undefined,
    () => queueDepth(store),
  )
  const queries = openLogQueries(location, { regexBudgetMs: config.regexBudgetMs })
  const compactor = startCompactor({ store: segments, location, logger })

  const lastSeq = async (taskId: string) => (await segments.head(taskId)).lastSeq
  const hub = new Hub({
    queries,
    bus,
    lastSeq,
    maxQueueBytes: config.readerQueueBytes,
    maxPerSecond: config.readerRate,
    onGap: metrics.gap,
    onSent: metrics.sent,
  })
  const writers = new LiveWriters((taskId, here) => bus.send({ type: 'writer', taskId, here }))
  const remoteWriters = new RemoteWriters({
    own: () => writers.taskIds,
    send: event => bus.send(event),
    onGone: taskIds => void announcer.stats(taskIds).catch(cannotAnnounce),
    now,
  })
  const cannotAnnounce = (err: unknown) => logger.error({ err }, 'a change could not be announced')
  const artifacts = createArtifacts({
    store,
    maxBytes: config.maxArtifactBytes,
    onChange(taskId) {
      socketIo.artifacts(taskId)
      bus.send({ type: 'artifacts', taskId })
    },
    onReceived: metrics.artifactReceived,
    clock: now,
    newId: uuidv7,
  })
  const tasks = createTasks({
    store,
    segments,
    logState: (task, head) => logState(head, task.status, writers.has(task.id) || remoteWriters.has(task.id)),
    async deleteLogs(taskId) {
      await artifacts.removeOf(taskId)
      await deleteLogs(segments, taskId)
    },
    onChange(change) {
      void announcer.change(change).catch(cannotAnnounce)
      tell(change).catch(err => logger.error({ err }, "a task's log does not say what the server did"))
      inputs.onChange(change).catch(err => logger.error({ err }, 'input that nobody takes any more is left'))
    },
    clock: now,
    newId: uuidv7,
  })
  const inputs: Inputs = createInputs({
    tasks,
    inputs: store.inputs,
    onInput: taskId => announcer.inputCame(taskId),
    clock: now,
    newId: uuidv7,
  })
  const heartbeats = new Heartbeats({ tasks: store.tasks, leases: tasks, clock: now, monotonic })
  const sessions = createSessions({
    store,
    removeTask: tasks.remove,
    onChange: change => announcer.sessionChange(change),
    clock: now,
    newId: uuidv7,
  })
  const sessionHub = new SessionHub(sessions)
  const stats = new StatsFeed(taskIds => {
    bus.send({ type: 'stats', taskIds })
    void announcer.stats(taskIds).catch(cannotAnnounce)
  })
  const ingest = createIngest({
    segments,
    ensureTask: taskId => tasks.ensure(taskId, { name: 'agent' }),
    publish(taskId, firstSeq, segment) {
      bus.publish(taskId, firstSeq, segment)
      stats.changed(taskId)
    },
    onCommit(lines, bytes, seconds) {
      metrics.received(lines, bytes)
      metrics.ingested(seconds)
    },
    now,
  })

  /** The task's log says what the server did. */
  async function tell(change: TaskChange): Promise<void> {
    const told = narrate(change)
    if (told) await ingest.appendEntries(change.task.id, [{ source: 'agent', ...told }])
  }
  const say = (taskId: string, key: string, message: string) => sayOnce(ingest, taskId, key, message)
  const autoFixes = createAutoFixes({
    tasks,
    sessions: store.sessions,
    lastLines: (...asked) => lastLines(queries, ...asked),
    say,
    clock: now,
  })

  const access = {
    async read(principal: Principal, taskId: string) {
      demand(principal, 'read', { taskId, sessionId: (await tasks.find(taskId))?.sessionId ?? null })
    },
    async write(principal: Principal, taskId: string) {
      await tasks.ensure(taskId, principal, await demandWrite(tasks, principal, taskId))
    },
  }
  const readers = { hub, access, lastSeq, watchToken: auth.watch }
  const upgrades = {
    authenticate: (request: IncomingMessage) => auth.authenticate(fromNode(request)),
    refuse: (socket: Duplex, error: unknown) =>
      refuseUpgrade(socket, error, err => logger.error({ err }, 'upgrade failed')),
  }
  const sessionSockets = createSessionSockets({
    ...upgrades,
    async admit(principal, sessionId) {
      demand(principal, 'write', { sessionId })
      await sessions.get(sessionId)
    },
    hub: sessionHub,
    watchToken: auth.watch,
  })
  const sockets = createTaskSockets({
    ...readers,
    ...upgrades,
    ingest,
    inputs,
    heartbeat: (taskId, agentId) => heartbeats.beat(taskId, agentId),
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

  const announcer = createAnnouncer({
    bus,
    hub,
    sessionHub,
    socketIo,
    tasks,
    store,
    taskEnded: compactor.taskEnded,
  })

  const postLimit = createPostLimit(config.ingestRate, limits)
  const api = createApi({
    auth,
    tasks,
    sessions,
    artifacts,
    artifactSent: metrics.artifactSent,
    inputs,
    autoFixes,
    observe: createObserver({ tasks, say }),
    queries,
    logger,
    metrics,
    version,
    allowedOrigins: config.allowedOrigins,
    parts: { store: () => store.ready() },
    helpers: redis ? { bus: () => bus.problem() } : {},
    async appendEntries(taskId, entries) {
      await postLimit(taskId)
      return ingest.appendEntries(taskId, entries)
    },
    async deleteLogs(taskId, before) {
      const deleted = await deleteLogs(segments, taskId, before)
      const totals = (await segments.totals([taskId])).get(taskId)
      const firstSeq = totals?.firstSeq ?? 0
      socketIo.cleared(taskId, firstSeq)
      bus.send({ type: 'cleared', taskId, firstSeq })
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
      const { upgrade } = path.startsWith('/ws/sessions/') ? sessionSockets : sockets
      upgrade(request, socket, head)
      return true
    },
    logger,
    metrics,
  })
  socketIo.attach(http.server)

  follow(bus, {
    writers: remoteWriters,
    taskChanged: announcer.changeElsewhere,
    taskDeleted(taskId, sessionId) {
      tasks.removedElsewhere(taskId).catch(cannotAnnounce)
      socketIo.taskDeleted(taskId, sessionId)
    },
    sessionChanged: announcer.sessionElsewhere,
    statsChanged: announcer.stats,
    cleared: socketIo.cleared,
    artifactsChanged: socketIo.artifacts,
    inputCame: taskId => hub.notify(taskId, { kind: 'input' }),
    keyRevoked: keyId => auth.keys.revokedElsewhere(keyId),
    async lookAround() {
      tasks.forget()
      await auth.keys.recheck()
      await announcer.missed()
    },
    onError: cannotAnnounce,
  })

  const watch = startWatch({
    store,
    changes: tasks,
    onEnded: metrics.runEnded,
    logger,
    clock: now,
    monotonic,
  })
  await http.listen(config.port, config.host)
  await http.ready()
  const sweep = startSweep(artifacts, logger)
  // Last, because the key is shown once only: a start that fails must not have made it.
  const adminKey = config.auth === 'on' ? await ensureAdminKey(auth.keys, config.adminKey) : undefined

  return {
    server: http.server,
    newAdminKey: adminKey?.created ? adminKey.key : undefined,
    async close() {
      await http.close()
      await watch.close()
      heartbeats.close()
      await socketIo.close()
      stats.close()
      remoteWriters.close()
      await sweep.close()
      await artifacts.idle()
      await ingest.idle()
      await bus.close()
      await compactor.close()
      await queries.close()
      await store.close()
    },
  }
}

/** Holds REST writers of a task to so many calls a second. */
function createPostLimit(perSecond: number, limits: Limits): (taskId: string) => Promise<void> {
  if (perSecond === 0) return async () => {}
  const limiter = limits('post', perSecond, 1)
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
