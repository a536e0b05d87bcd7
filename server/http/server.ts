import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Logger } from 'pino'
import { KerutaError } from '#protocol/errors.ts'
import type { Metrics } from '#server/metrics.ts'
import { accessLog } from './access-log.ts'
import { areaOf, pathOf } from './areas.ts'
import { limitBodyTime } from './body-time.ts'
import { listen } from './listen.ts'
import type { Pages } from './pages.ts'
import { problemHeaders, problemResponse, type Report, toProblem } from './problem.ts'
import { refuseUpgrade, writeProblem } from './refuse.ts'
import { securityHeaders } from './security-headers.ts'
import { trackSockets } from './sockets.ts'

export interface HttpServerOptions {
  /** Answers `/api/*`, `/healthz`, `/readyz` and `/metrics`. */
  api(request: Request, env: HttpBindings): Response | Promise<Response>
  /** Answers everything else. */
  pages: Pages
  /** Takes over the sockets of live connections; false where the path is not one of theirs. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  logger: Logger
  metrics: Pick<Metrics, 'httpRequest'>
  /** A body that is no upload must have come by then, ms. */
  bodyTimeoutMs?: number
}

export interface HttpServer {
  readonly server: Server
  /** KerutaError, with a message that names host and port, where that cannot be. */
  listen(port: number, host: string): Promise<AddressInfo>
  /** Resolves when pages can be answered too. */
  ready(): Promise<void>
  /** Takes no more connections, and ends those still open half a second later. */
  close(): Promise<void>
}

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15_000,
  /** Bodies have a limit of their own, `limitBodyTime`: this one knows no uploads. */
  requestTimeout: 0,
  /** Above the 60 s after which most proxies drop an idle connection, so that it is they who do. */
  keepAliveTimeout: 65_000,
}

const BODY_TIMEOUT_MS = 120_000

/** A socket each: more would end in failures all over the server. */
const MAX_CONNECTIONS = 10_000

const HOT_RELOAD = '/_next/hmr'

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { api, pages, upgrade, logger, metrics, bodyTimeoutMs = BODY_TIMEOUT_MS } = options
  const server = createServer(LIMITS)
  server.maxConnections = MAX_CONNECTIONS
  const sockets = trackSockets(server)
  const logged = accessLog(logger, metrics)
  const secured = securityHeaders(pages)
  const report: Report = err => logger.error({ err }, 'request failed')
  const answerApi = getRequestListener((request, env) => api(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    // HTTP/1.0 needs no Host header, and health checks of proxies send none.
    hostname: 'localhost',
    // What reaches this is a request line or Host header that makes no URL; the app answers its own errors.
    errorHandler: error =>
      problemResponse(new KerutaError('BAD_REQUEST', `not a good request: ${String(error)}`)),
  })

  server.on('request', (request, response) => {
    logged(request, response)
    limitBodyTime(request, bodyTimeoutMs, () => writeProblem(request.socket, toProblem(late())))
    const area = areaOf(pathOf(request.url))
    secured(response, area)
    if (area === 'api' || area === 'probe') void answerApi(request, response)
    else answerPage(pages, request, response).catch(error => sendProblem(response, error, report))
  })

  server.on('upgrade', (request, socket, head) => {
    // Without a listener, a client that goes away while it is being refused would end the process.
    socket.on('error', () => socket.destroy())
    const path = pathOf(request.url)
    if (upgrade(request, socket, head)) return
    if (pages.dev && path.startsWith(HOT_RELOAD)) return pages.upgrade(request, socket, head)
    refuseUpgrade(
      socket,
      new KerutaError('NOT_FOUND', `there is no WebSocket at ${path}; logs are at /ws/tasks/{taskId}`),
    )
  })

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    writeProblem(socket, toProblem(unreadable(error)))
  })

  server.on('drop', data =>
    logger.warn({ remote: data?.remoteAddress }, `over ${MAX_CONNECTIONS} connections: one was refused`),
  )

  return {
    server,
    async listen(port, host) {
      const address = await listen(server, port, host)
      // A connection that cannot be accepted, such as for want of file descriptors, must not end the process.
      server.on('error', err => logger.error({ err }, 'a connection could not be accepted'))
      return address
    },
    async ready() {
      await pages.ready()
      // Next adds its upgrade listener at its first request.
      if (pages.dev) await fetch(`http://${addressOf(server)}/`)
    },
    async close() {
      await sockets.close()
      await pages.close()
    },
  }
}

async function answerPage(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // In development Next's own overlay posts.
  if (!pages.dev && request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    throw new KerutaError('METHOD_NOT_ALLOWED', `pages take GET only; the API is under /api/v1`)
  }
  await pages.handle(request, response)
}

function sendProblem(response: ServerResponse, error: unknown, report: Report): void {
  const problem = toProblem(error, report)
  if (response.headersSent) return void response.destroy()
  response.writeHead(problem.status, problemHeaders(problem)).end(JSON.stringify(problem))
}

function unreadable({ code }: NodeJS.ErrnoException): KerutaError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new KerutaError('TOO_LARGE', `the request's headers are over ${LIMITS.maxHeaderSize} bytes`)
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return late()
  return new KerutaError('BAD_REQUEST', 'this is not an HTTP/1.1 request')
}

function late(): KerutaError {
  return new KerutaError('BAD_REQUEST', 'the request did not arrive in time')
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  const host =
    address === '::' || address === '0.0.0.0' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  return `${host}:${port}`
}
