import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import { MAX_FRAME_BYTES } from '#protocol/frames.ts'
import { ID_PATTERN } from '#protocol/ids.ts'
import type { Principal } from '#server/auth/principal.ts'
import { type ConnectionDeps, TaskConnection } from './ws-connection.ts'

export interface TaskSocketsOptions extends Omit<ConnectionDeps, 'taskId' | 'principal' | 'ws' | 'socket'> {
  authenticate(req: IncomingMessage): Promise<Principal>
  /** Answers an upgrade that is refused, as a problem document, and ends the socket. */
  refuse(socket: Duplex, error: unknown): void
}

const TASK_PATH = /^\/ws\/tasks\/([^/?]+)\/?(?:\?|$)/

/** Raw WebSockets at `/ws/tasks/{taskId}`, for readers and writers. */
export function createTaskSockets(options: TaskSocketsOptions) {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  })

  async function upgrade(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const taskId = taskIdOf(req.url ?? '')
    const principal = await options.authenticate(req)
    server.handleUpgrade(
      req,
      socket,
      head,
      ws => new TaskConnection({ ...options, taskId, principal, ws, socket }),
    )
  }

  return {
    handles: (path: string) => path.startsWith('/ws/'),
    upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
      // Node's type is wider than what an HTTP server gives.
      upgrade(req, socket as Socket, head).catch(error => options.refuse(socket, error))
    },
  }
}

function taskIdOf(url: string): string {
  const match = TASK_PATH.exec(url)
  if (!match) throw new KerutaError('NOT_FOUND', 'no such WebSocket: connect to /ws/tasks/{taskId}')
  let id = match[1]!
  try {
    id = decodeURIComponent(id)
  } catch {
    // The pattern refuses it below, and says how ids look.
  }
  if (!ID_PATTERN.test(id))
    throw new KerutaError(
      'BAD_REQUEST',
      'a task id has 1 to 128 characters of A-Z a-z 0-9 . _ : - and starts with a letter or digit',
    )
  return id
}
