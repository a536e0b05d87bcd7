import { MAX_FRAME_BYTES } from '#protocol/frames.ts'
import { createSocketServer, type SocketServerOptions } from './socket-server.ts'
import { type ConnectionDeps, TaskConnection } from './ws-connection.ts'

export interface TaskSocketsOptions
  extends Omit<ConnectionDeps, 'taskId' | 'principal' | 'ws' | 'socket'>,
    Pick<SocketServerOptions, 'authenticate' | 'refuse'> {}

/** Raw WebSockets at `/ws/tasks/{taskId}`, for readers and writers. */
export function createTaskSockets(options: TaskSocketsOptions) {
  return createSocketServer({
    kind: 'task',
    maxPayload: MAX_FRAME_BYTES,
    authenticate: options.authenticate,
    refuse: options.refuse,
    connected: ({ id, ...at }) => void new TaskConnection({ ...options, ...at, taskId: id }),
  })
}
