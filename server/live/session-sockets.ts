import { SessionConnection, type SessionConnectionDeps } from './session-connection.ts'
import { createSocketServer, type SocketServerOptions } from './socket-server.ts'

export interface SessionSocketsOptions
  extends Omit<SessionConnectionDeps, 'sessionId' | 'principal' | 'ws'>,
    Required<Pick<SocketServerOptions, 'authenticate' | 'admit' | 'refuse'>> {}

const MAX_FRAME_BYTES = 64 * 1024

/** Raw WebSockets at `/ws/sessions/{sessionId}`, where agents wait for work. */
export function createSessionSockets(options: SessionSocketsOptions) {
  return createSocketServer({
    kind: 'session',
    maxPayload: MAX_FRAME_BYTES,
    authenticate: options.authenticate,
    admit: options.admit,
    refuse: options.refuse,
    connected: ({ id, principal, ws }) =>
      void new SessionConnection({ ...options, sessionId: id, principal, ws }),
  })
}
