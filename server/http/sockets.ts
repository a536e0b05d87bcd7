import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How long running answers and open readers have once the server shuts down. */
const GRACE_MS = 500

/** Follows a server's connections, upgraded ones too, which `server.close()` would wait for without end. */
export function trackSockets(server: Server): { close(): Promise<void> } {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    close: () =>
      new Promise(resolve => {
        const timer = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, GRACE_MS)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}
