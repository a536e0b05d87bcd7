import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../config.ts'
import { CommandError, EXIT } from '../exit.ts'
import { HttpProblem, refuseForeign } from './http-guard.ts'
import { routes } from './http-routes.ts'
import type { DaemonLog } from './log.ts'
import type { Shutdown } from './shutdown.ts'
import type { DaemonState } from './state.ts'

export interface HttpOptions {
  host: string
  port: number
  /** Whether this port and no other will do. */
  portAsked: boolean
  state: DaemonState
  shutdown: Shutdown
  log: DaemonLog
  config: Config
}

export interface DaemonServer {
  url: string
  close(): void
}

/** The daemon's own HTTP API. @throws CommandError where it cannot listen */
export async function openHttp(options: HttpOptions): Promise<DaemonServer> {
  // A name with two addresses would be free at the one and taken at the other.
  const host = options.host === 'localhost' ? '127.0.0.1' : options.host
  const isLocal = /^(127\.|::1$)/.test(host)
  // An import would load a second HTTP client of 20 MB.
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 16 * 1024 }, (req, res) => {
    void answer(req, res, options, isLocal)
  })
  server.maxConnections = 100
  await listen(server, host, options)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function listen(server: Server, host: string, { port, portAsked, log }: HttpOptions): Promise<void> {
  try {
    await tryPort(server, host, port)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && !portAsked) {
      await tryPort(server, host, 0)
      const free = (server.address() as AddressInfo).port
      log.warn(`port ${port} is taken: the daemon's HTTP API listens on port ${free}; choose one with --port`)
      return
    }
    const why =
      code === 'EADDRINUSE'
        ? `port ${port} of ${host} is taken; choose another with --port, or 0 for any`
        : `the daemon's HTTP API cannot listen on ${host}:${port}: ${message}`
    throw new CommandError(EXIT.failure, why)
  }
}

function tryPort(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  options: HttpOptions,
  isLocal: boolean,
): Promise<void> {
  const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
    res.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    })
    res.end(`${JSON.stringify(body)}\n`)
  }
  try {
    refuseForeign(req, isLocal, options.config.token)
    const { status, body } = await routes(req, options)
    send(status, body)
  } catch (error) {
    if (error instanceof HttpProblem) send(error.status, { error: error.message }, error.headers)
    else {
      options.log.error(`the HTTP API failed: ${(error as Error).stack}`)
      send(500, { error: 'the daemon failed to answer; its log says why' })
    }
  }
}
