import type { Server as HttpServer, IncomingMessage } from 'node:http'
import { Server, type Socket } from 'socket.io'
import type { z } from 'zod'
import { KerutaError } from '#protocol/errors.ts'
import { MAX_FRAME_BYTES } from '#protocol/frames.ts'
import { idSchema } from '#protocol/ids.ts'
import type { Serving } from '#protocol/session.ts'
import {
  type ClientToServerEvents,
  type ServerToClientEvents,
  SOCKET_IO_PATH,
  type SubscribeAnswer,
  subscribeRequestSchema,
  unsubscribeRequestSchema,
} from '#protocol/socket.ts'
import type { TaskView } from '#protocol/task.ts'
import { rowOf } from '#protocol/task-row.ts'
import type { Auth } from '#server/auth/auth.ts'
import type { Principal } from '#server/auth/principal.ts'
import { seesValues, withoutValues } from '#server/auth/sight.ts'
import type { Access } from './access.ts'
import type { Hub } from './hub.ts'
import type { Sink, Subscriber } from './subscriber.ts'
import { filterOf } from './ws-reader.ts'

interface SocketData {
  principal: Principal
  subscribers: Map<string, Subscriber>
  leaves: Map<string, () => void>
  /** The last request for each task whose subscription is not made yet. */
  pending: Map<string, symbol>
}
type KerutaServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>
type KerutaSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>

export interface SocketIoOptions {
  hub: Hub
  access: Access
  watchToken: Auth['watch']
  authenticate(req: IncomingMessage): Promise<Principal>
  /** Sessions whose tasks the caller may see; null for all. */
  visibleSessions(principal: Principal): string[] | null
  lastSeq(taskId: string): Promise<number>
  /** A reader has come; the answer is called when it goes. */
  reader(): () => void
}

const ALL_TASKS = 'tasks'
/** Of who watches one task; apart where they may not read the values of its variables. */
const taskRoom = (taskId: string, values: boolean) => `task:${taskId}${values ? '' : '/names'}`
const taskRooms = (taskId: string) => [taskRoom(taskId, true), taskRoom(taskId, false)]
const sessionRoom = (sessionId: string) => `session:${sessionId}`

export type SocketIo = ReturnType<typeof createSocketIo>

/** Socket.IO for the console: rooms for tasks' changes, a hub subscriber for each subscribed log. */
export function createSocketIo(options: SocketIoOptions) {
  const io: KerutaServer = new Server({
    path: SOCKET_IO_PATH,
    serveClient: false,
    destroyUpgrade: false,
    maxHttpBufferSize: MAX_FRAME_BYTES,
  })

  io.use((socket, next) => {
    options
      .authenticate(socket.request)
      .then(principal => {
        socket.data = { principal, subscribers: new Map(), leaves: new Map(), pending: new Map() }
        next()
      })
      .catch(error => next(connectError(error)))
  })
  io.on('connection', socket => connected(socket, options))

  return {
    attach: (server: HttpServer) => void io.attach(server),
    /** A task changed: to who watches it, its session or all tasks, once each. */
    task(task: TaskView): void {
      const { id, sessionId } = task
      io.to(taskRoom(id, true)).emit('task', { task })
      io.to(taskRoom(id, false)).emit('task', { task: withoutValues(task) })
      io.to(listRoomsOf(sessionId))
        .except(taskRooms(id))
        .emit('task', { task: rowOf(task) })
    },
    taskDeleted(taskId: string, sessionId: string | null): void {
      io.to(roomsOf(taskId, sessionId)).emit('task', { taskId, deleted: true })
    },
    serving(sessionId: string, serving: Serving): void {
      io.to(listRoomsOf(sessionId)).emit('serving', { sessionId, serving })
    },
    /** Changes on other servers were maybe not told: whoever shows lists asks again. */
    missed(): void {
      const rooms = [...io.of('/').adapter.rooms.keys()].filter(isListRoom)
      if (rooms.length > 0) io.to(rooms).emit('missed')
    },
    stats(task: TaskView): void {
      io.to(roomsOf(task.id, task.sessionId)).emit('stats', {
        taskId: task.id,
        logs: task.logs,
        logState: task.logState,
      })
    },
    cleared(taskId: string, firstSeq: number): void {
      io.to(taskRooms(taskId)).emit('cleared', { taskId, firstSeq })
    },
    artifacts(taskId: string): void {
      io.to(taskRooms(taskId)).emit('artifacts', { taskId })
    },
    /** Whether anybody would get the changes of a task. */
    hasListeners: (taskId: string, sessionId: string | null) =>
      roomsOf(taskId, sessionId).some(room => io.of('/').adapter.rooms.has(room)),
    close: () => io.close(),
  }
}

function roomsOf(taskId: string, sessionId: string | null): string[] {
  return [...taskRooms(taskId), ...listRoomsOf(sessionId)]
}

function listRoomsOf(sessionId: string | null): string[] {
  return sessionId === null ? [ALL_TASKS] : [ALL_TASKS, sessionRoom(sessionId)]
}

function connected(socket: KerutaSocket, options: SocketIoOptions): void {
  const { subscribers, leaves, pending, principal } = socket.data
  const leave = options.watchToken(principal, () => socket.disconnect(true))
  const onDrain = () => {
    for (const subscriber of subscribers.values()) subscriber.drained()
  }
  // 'ready' comes when the kernel has taken what was sent; engine.io's 'drain' comes before that.
  socket.conn.transport.on('ready', onDrain)
  socket.conn.on('upgrade', transport => transport.on('ready', onDrain))

  const end = (taskId: string) => {
    const subscriber = subscribers.get(taskId)
    if (!subscriber) return
    subscribers.delete(taskId)
    subscriber.close()
    leaves.get(taskId)?.()
    leaves.delete(taskId)
  }

  socket.on('subscribe', (request, asked) => {
    const answer = answerOf(asked)
    subscribe(socket, request, options, end).then(answer, error =>
      answer({ ok: false, error: answerError(error) }),
    )
  })
  socket.on('unsubscribe', (request, asked) => {
    const answer = answerOf(asked)
    const parsed = unsubscribeRequestSchema.safeParse(request)
    if (parsed.success && 'taskId' in parsed.data) {
      pending.delete(parsed.data.taskId)
      end(parsed.data.taskId)
      for (const room of taskRooms(parsed.data.taskId)) void socket.leave(room)
    } else if (parsed.success) {
      for (const room of listRooms(options.visibleSessions(principal))) void socket.leave(room)
    }
    answer({ ok: parsed.success })
  })
  socket.on('disconnect', () => {
    leave()
    for (const taskId of [...subscribers.keys()]) end(taskId)
  })
}

async function subscribe(
  socket: KerutaSocket,
  given: unknown,
  options: SocketIoOptions,
  end: (taskId: string) => void,
): Promise<SubscribeAnswer> {
  const parsed = subscribeRequestSchema.safeParse(given)
  if (!parsed.success)
    throw new KerutaError(
      'BAD_REQUEST',
      `subscribe takes {taskId, options} or {channel: "tasks"}${wrongIn(parsed.error)}`,
    )
  const { principal, subscribers, leaves, pending } = socket.data
  if ('channel' in parsed.data) {
    await socket.join(listRooms(options.visibleSessions(principal)))
    return { ok: true, after: 0, lastSeq: 0 }
  }
  const { options: wanted } = parsed.data
  const id = idSchema.safeParse(parsed.data.taskId)
  if (!id.success) throw new KerutaError('BAD_REQUEST', `taskId ${id.error.issues[0]!.message}`)
  const taskId = id.data
  const filter = filterOf(wanted)
  const request = Symbol(taskId)
  pending.set(taskId, request)
  const isLast = () => pending.get(taskId) === request
  try {
    await options.access.read(principal, taskId)
    const head = await options.lastSeq(taskId)
    if (socket.disconnected) throw new KerutaError('BAD_REQUEST', 'the connection has ended')
    const after = Math.min(wanted.after ?? (wanted.realtime ? head : 0), head)
    if (!isLast()) return { ok: true, after, lastSeq: head }
    end(taskId)
    void socket.join(taskRoom(taskId, seesValues(principal)))
    leaves.set(taskId, options.reader())
    const sink = sinkOf(socket, taskId, () => end(taskId))
    subscribers.set(taskId, options.hub.subscribe({ taskId, filter, after, realtime: wanted.realtime, sink }))
    return { ok: true, after, lastSeq: head }
  } finally {
    if (isLast()) pending.delete(taskId)
  }
}

/** What is wrong with a request for a task; of one that names neither, both say the same. */
function wrongIn({ issues: [issue] }: z.ZodError): string {
  const found = issue?.code === 'invalid_union' ? issue.errors[0]?.[0] : issue
  return found ? `: ${[...found.path.map(String), found.message].join(': ')}` : ''
}

function sinkOf(socket: KerutaSocket, taskId: string, end: () => void): Sink {
  return {
    writable: () => socket.conn.transport.writable,
    batch: batch => socket.emit('logs', { taskId, entries: batch.entries }),
    entries: entries => socket.emit('logs', { taskId, entries }),
    gap: (from, to) => socket.emit('gap', { taskId, from, to }),
    live: () => {},
    failed: error => {
      socket.emit('failed', { taskId, error: answerError(error) })
      end()
    },
  }
}

/** A client may leave the function out, or send something else in its place. */
function answerOf<T>(asked: ((answer: T) => void) | undefined): (answer: T) => void {
  return typeof asked === 'function' ? asked : () => {}
}

function isListRoom(room: string): boolean {
  return room === ALL_TASKS || room.startsWith(sessionRoom(''))
}

function listRooms(sessions: string[] | null): string[] {
  return sessions === null ? [ALL_TASKS] : sessions.map(sessionRoom)
}

function answerError(error: unknown) {
  return error instanceof KerutaError
    ? { code: error.code, message: error.message }
    : { code: 'INTERNAL' as const, message: 'something went wrong on the server' }
}

function connectError(error: unknown): Error {
  return Object.assign(new Error(answerError(error).message), { data: answerError(error) })
}
