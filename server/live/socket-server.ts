import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import { ID_PATTERN } from '#protocol/ids.ts'
import type { Principal } from '#server/auth/principal.ts'

export interface SocketServerOptions {
  /** Connections are to `/ws/{kind}s/{id}`. */
  kind: 'task' | 'session'
  /** A frame over this closes the connection with 1009, bytes. */
  maxPayload: number
  authenticate(req: IncomingMessage): Promise<Principal>
  /** Rejects with KerutaError where the caller may not connect to this one. */
  admit?(principal: Principal, id: string): Promise<void>
  /** Answers an upgrade that is refused, as a problem document, and ends the socket. */
  refuse(socket: Duplex, error: unknown): void
  connected(connection: { id: string; principal: Principal; ws: WebSocket; socket: Socket }): void
}

/** Raw WebSockets to the tasks, or to the sessions, by their ids. */
export function createSocketServer(options: SocketServerOptions) {
  const { kind, maxPayload, authenticate, admit, refuse, connected } = options
  const server = new WebSocketServer({
    noServer: true,
    maxPayload,
    perMessageDeflate: false,
    clientTracking: true,
  })

  async function upgrade(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const id = idIn(req.url ?? '', kind)
    const principal = await authenticate(req)
    await admit?.(principal, id)
    server.handleUpgrade(req, socket, head, ws => connected({ id, principal, ws, socket }))
  }

  return {
    upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
      // Node's type is wider than what an HTTP server gives.
      upgrade(req, socket as Socket, head).catch(error => refuse(socket, error))
    },
    /** Tells all who are connected that the server ends. */
    leave(): void {
      for (const ws of server.clients)
        ws.close(1001, 'the server ends or restarts; connect again, and go on where this stopped')
    },
  }
}

function idIn(url: string, kind: string): string {
  const [, ws, kinds, text, ...rest] = url.replace(/\/?(\?.*)?$/, '').split('/')
  if (ws !== 'ws' || kinds !== `${kind}s` || !text || rest.length > 0)
    throw new KerutaError(
      'NOT_FOUND',
      'no such WebSocket: connect to /ws/tasks/{taskId} or /ws/sessions/{sessionId}',
    )
  const id = decoded(text)
  if (!ID_PATTERN.test(id))
    throw new KerutaError(
      'BAD_REQUEST',
      `a ${kind} id has 1 to 128 characters of A-Z a-z 0-9 . _ : - and starts with a letter or digit`,
    )
  return id
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // The pattern refuses it, and says how ids look.
  }
}
