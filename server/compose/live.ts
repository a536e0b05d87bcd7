import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createAnnouncer } from '#server/announce.ts'
import { demandWrite } from '#server/api/access.ts'
import { demand, type Principal, visibleSessions } from '#server/auth/principal.ts'
import { fromNode } from '#server/auth/request.ts'
import type { Config } from '#server/config.ts'
import { refuseUpgrade } from '#server/http/refuse.ts'
import { follow } from '#server/live/bus/follow.ts'
import { Hub } from '#server/live/hub.ts'
import { SessionHub } from '#server/live/session-hub.ts'
import { createSessionSockets } from '#server/live/session-sockets.ts'
import { createSocketIo } from '#server/live/socket-io.ts'
import { createSse } from '#server/live/sse.ts'
import { createTaskSockets } from '#server/live/websocket.ts'
import type { Base } from './base.ts'
import type { News } from './news.ts'
import type { Work } from './work.ts'

type LiveConfig = Pick<Config, 'readerQueueBytes' | 'readerPatienceMs' | 'readerRate' | 'ingestRate'>

/** Everybody who stays connected, and how they hear of what happens, here or on another server. */
export function createLive(base: Base, work: Work, config: LiveConfig, news: News) {
  const { store, bus, auth, metrics, queries, compactor, logger } = base
  const { tasks, sessions, ingest, inputs, heartbeats } = work

  const lastSeq = async (taskId: string) => (await store.segments.head(taskId)).lastSeq
  const hub = new Hub({
    queries,
    bus,
    lastSeq,
    maxQueueBytes: config.readerQueueBytes,
    patienceMs: config.readerPatienceMs,
    maxPerSecond: config.readerRate,
    onGap: metrics.gap,
    onSent: metrics.sent,
  })
  const sessionHub = new SessionHub(sessions)

  const access = {
    async read(principal: Principal, taskId: string) {
      demand(principal, 'read', { taskId, sessionId: (await tasks.find(taskId))?.sessionId ?? null })
    },
    async write(principal: Principal, taskId: string) {
      await tasks.ensure(taskId, principal, await demandWrite(tasks, principal, taskId))
    },
  }
  const readers = { hub, access, lastSeq, watchToken: auth.watch }
  const authenticate = (request: IncomingMessage) => auth.authenticate(fromNode(request))
  const upgrades = {
    authenticate,
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
    arrived: sessionId => work.daemons.arrive(sessionId),
  })
  const taskSockets = createTaskSockets({
    ...readers,
    ...upgrades,
    ingest,
    inputs,
    heartbeat: (taskId, agentId) => heartbeats.beat(taskId, agentId),
    isCancelled: async taskId => (await tasks.find(taskId))?.status === 'CANCELLED',
    writer: work.writer,
    reader: () => metrics.reader('websocket'),
    maxMessagesPerSecond: config.ingestRate,
  })
  const sse = createSse({ ...readers, reader: () => metrics.reader('sse') })
  const socketIo = createSocketIo({
    ...readers,
    authenticate,
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
  const cannotAnnounce = (err: unknown) => logger.error({ err }, 'a change could not be announced')
  news.on('task', change => void announcer.change(change).catch(cannotAnnounce))
  news.on('session', change => announcer.sessionChange(change))
  news.on('input', taskId => announcer.inputCame(taskId))
  news.on('serving', sessionId => socketIo.serving(sessionId, work.daemons.of(sessionId)))
  news.on('stats', taskIds => void announcer.stats(taskIds).catch(cannotAnnounce))
  news.on('artifacts', taskId => {
    socketIo.artifacts(taskId)
    bus.send({ type: 'artifacts', taskId })
  })
  news.on('cleared', (taskId, firstSeq) => {
    socketIo.cleared(taskId, firstSeq)
    bus.send({ type: 'cleared', taskId, firstSeq })
  })
  follow(bus, {
    writers: work.remoteWriters,
    taskChanged: announcer.changeElsewhere,
    daemons: work.daemons,
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

  return {
    streamLogs: sse.streamLogs,
    attach: socketIo.attach,
    /** Whether somebody here takes the upgrade. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
      const path = request.url ?? ''
      if (path.startsWith('/socket.io')) return true // Socket.IO listens by itself.
      if (!path.startsWith('/ws/')) return false
      const { upgrade } = path.startsWith('/ws/sessions/') ? sessionSockets : taskSockets
      upgrade(request, socket, head)
      return true
    },
    /** Tells who is connected that the server ends. */
    leave(): void {
      for (const part of [taskSockets, sessionSockets, sse]) part.leave()
    },
    close: socketIo.close,
  }
}

export type Live = ReturnType<typeof createLive>
