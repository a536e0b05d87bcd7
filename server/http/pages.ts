import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import next from 'next'
import { PHASE_PRODUCTION_SERVER } from 'next/constants.js'
import config from 'next/dist/server/config.js'

// A CommonJS module, whose default lies within.
const { default: loadConfig } = config as unknown as { default: typeof config }

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
  const prepared = prepare()
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

  async function prepare(): Promise<void> {
    // Next says how long this takes, before anything else is said, but not where it was done before.
    if (!dev) await loadConfig(PHASE_PRODUCTION_SERVER, dir)
    await app.prepare()
  }
}
