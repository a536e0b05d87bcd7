import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import next from 'next'

/** The console's pages. */
export interface Pages {
  readonly dev: boolean
  /** Resolves when pages can be answered; rejects where they cannot, such as without a build. */
  ready(): Promise<void>
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** In development: the socket of hot reloading. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

/** @param dir the folder that holds `app/`, and `.next/` unless in development */
export function createPages({ dev, dir }: { dev: boolean; dir: string }): Pages {
  // Next adds an upgrade listener of its own and ends sockets that it does not know: it gets a server that never listens.
  const upgrades = new Server()
  const app = next({ dev, dir, httpServer: upgrades })
  const prepared = app.prepare()
  // Reported by `ready`, which may be asked later.
  prepared.catch(() => {})
  return {
    dev,
    ready: () => prepared,
    async handle(request, response) {
      await prepared
      await app.getRequestHandler()(request, response)
    },
    upgrade: (request, socket, head) => void upgrades.emit('upgrade', request, socket, head),
    close: () => app.close(),
  }
}
