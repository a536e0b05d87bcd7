import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createLogger } from '#server/logger.ts'
import { createMetrics, type Metrics } from '#server/metrics.ts'
import type { Pages } from './pages.ts'
import { problemHandler } from './problem.ts'
import { createHttpServer, type HttpServer } from './server.ts'

let http: HttpServer
let base: string
let logged: Record<string, unknown>[]
let metrics: Metrics
let sockets: WebSocketServer

const BODY_TIMEOUT_MS = 300

beforeEach(async () => {
  logged = []
  metrics = createMetrics(async () => ({}))
  sockets = new WebSocketServer({ noServer: true })
  const logger = createLogger('debug', { write: line => void logged.push(JSON.parse(line)) })
  const api = new Hono()
    .get('/api/echo', c => c.json({ path: c.req.path }))
    .get('/api/fails', () => {
      throw new Error('the password is hunter2')
    })
    .get('/api/framed', c => c.html('<p>', 200, { 'content-security-policy': 'sandbox' }))
    .get('/api/stream', c =>
      streamSSE(c, stream => stream.writeSSE({ data: 'x' }).then(() => new Promise(() => {}))),
    )
    .all('/api/v1/*', async c => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }))
    .get('/healthz', c => c.json({ ok: true }))
    .onError(problemHandler(logger))
  http = createHttpServer({
    api: api.fetch,
    pages,
    upgrade(request, socket, head) {
      if (!request.url?.startsWith('/ws/')) return false
      sockets.handleUpgrade(request, socket, head, ws => ws.on('message', data => ws.send(String(data))))
      return true
    },
    logger,
    metrics,
    bodyTimeoutMs: BODY_TIMEOUT_MS,
  })
  const { port } = await http.listen(0, '127.0.0.1')
  base = `http://127.0.0.1:${port}`
  await http.ready()
})
afterEach(() => http.close())

const pages: Pages = {
  dev: false,
  ready: async () => {},
  async handle(request, response) {
    if (request.url === '/broken') throw new Error('the page cannot be rendered')
    response.end(`page ${request.url}`)
  },
  upgrade: () => {},
  close: async () => {},
}

test('the API and the probes are answered by Hono, everything else by the pages', async () => {
  expect(await (await fetch(`${base}/api/echo`)).json()).toEqual({ path: '/api/echo' })
  expect(await (await fetch(`${base}/healthz`)).json()).toEqual({ ok: true })
  expect(await (await fetch(`${base}/tasks/api/1?x=1`)).text()).toBe('page /tasks/api/1?x=1')
  expect(await (await fetch(`${base}/apiary`)).text()).toBe('page /apiary')
})

test('pages take GET only', async () => {
  const answer = await fetch(`${base}/tasks`, { method: 'POST' })
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toBe('GET, HEAD')
  expect(await answer.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
})

test('every answer forbids foreign content, frames and guessing of types', async () => {
  for (const path of ['/', '/api/echo', '/api/fails', '/healthz']) {
    const { headers } = await fetch(base + path)
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

test('what the API says is not kept by caches, and a handler may have a policy of its own', async () => {
  expect((await fetch(`${base}/api/echo`)).headers.get('cache-control')).toBe('no-store')
  expect((await fetch(`${base}/api/framed`)).headers.get('content-security-policy')).toBe('sandbox')
})

test('a request has an id in its answer and in the log, which leaves out the query', async () => {
  const answer = await fetch(`${base}/api/echo?token=secret`, { headers: { 'x-request-id': 'proxy-1' } })
  expect(answer.headers.get('x-request-id')).toBe('proxy-1')
  await expect
    .poll(() => logged)
    .toContainEqual(
      expect.objectContaining({
        requestId: 'proxy-1',
        method: 'GET',
        path: '/api/echo',
        status: 200,
        level: 'info',
      }),
    )
  expect(JSON.stringify(logged)).not.toContain('secret')
  const made = await fetch(`${base}/api/echo`, { headers: { 'x-request-id': 'no good "id"' } })
  expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('requests are measured by what they asked for', async () => {
  await fetch(`${base}/api/echo`)
  await expect
    .poll(() => metrics.text())
    .toContain('keruta_http_request_duration_seconds_count{area="api",method="GET",status="200"} 1')
})

test('what nobody expected is logged with its id, and not told to the caller', async () => {
  const answer = await fetch(`${base}/api/fails`)
  expect(answer.status).toBe(500)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const text = await answer.text()
  expect(text).toContain('x-request-id')
  expect(text).not.toContain('hunter2')
  expect(logged).toContainEqual(
    expect.objectContaining({
      msg: 'request failed',
      requestId: answer.headers.get('x-request-id'),
      err: expect.objectContaining({ message: 'the password is hunter2' }),
    }),
  )
})

test('a page that fails is a problem document too', async () => {
  const answer = await fetch(`${base}/broken`)
  expect([answer.status, (await answer.json()).code]).toEqual([500, 'INTERNAL'])
})

test('live sockets are taken over, any other upgrade is answered 404', async () => {
  const ws = new WebSocket(`${base.replace('http', 'ws')}/ws/tasks/1`)
  await once(ws, 'open')
  ws.send('hello')
  expect(String((await once(ws, 'message'))[0])).toBe('hello')

  const refused = new WebSocket(`${base.replace('http', 'ws')}/nowhere`)
  const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
  expect(answer.statusCode).toBe(404)
  expect(
    JSON.parse(String(await answer.setEncoding('utf8').reduce((all, part) => all + part, ''))),
  ).toMatchObject({
    code: 'NOT_FOUND',
    detail: expect.stringContaining('/ws/tasks/{taskId}'),
  })
})

test('headers over the limit, and what is not HTTP, are answered with what is wrong', async () => {
  const big = httpRequest(`${base}/api/echo`, { headers: { cookie: 'x'.repeat(20_000) } }).end()
  const [answer] = (await once(big, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(413)
  answer.destroy()

  const raw = connect(Number(new URL(base).port), '127.0.0.1')
  raw.write('this is not HTTP\r\n\r\n')
  expect(String(await raw.setEncoding('utf8').reduce((all, part) => all + part, ''))).toContain(
    'not an HTTP/1.1 request',
  )
})

test('a health check of HTTP/1.0 needs no Host header', async () => {
  const raw = connect(Number(new URL(base).port), '127.0.0.1')
  raw.end('GET /healthz HTTP/1.0\r\n\r\n')
  let answer = ''
  for await (const chunk of raw) answer += chunk
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('a Host header or path that makes no URL is refused', async () => {
  const bad = httpRequest(`${base}/api/echo`, { headers: { host: 'a b' } }).end()
  const [answer] = (await once(bad, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(400)
  answer.destroy()
})

test('a client that goes away while it is refused leaves the server unharmed', async () => {
  const raw = connect(Number(new URL(base).port), '127.0.0.1')
  raw.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  raw.resetAndDestroy()
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
})

test('a connection that cannot be accepted is logged, and ends nothing', async () => {
  http.server.emit('error', new Error('accept EMFILE'))
  expect(logged).toContainEqual(
    expect.objectContaining({ err: expect.objectContaining({ message: 'accept EMFILE' }) }),
  )
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
})

test('connections over the limit are refused, and said in the log', async () => {
  http.server.maxConnections = 1
  const first = connect(Number(new URL(base).port), '127.0.0.1')
  await once(first, 'connect')
  const second = connect(Number(new URL(base).port), '127.0.0.1')
  await once(second, 'close')
  await expect
    .poll(() => logged)
    .toContainEqual(expect.objectContaining({ remote: '127.0.0.1', level: 'warn' }))
  first.destroy()
})

test('with readers connected, a shutdown ends them and takes about half a second', async () => {
  const ws = new WebSocket(`${base.replace('http', 'ws')}/ws/tasks/1`)
  await once(ws, 'open')
  const stream = await fetch(`${base}/api/stream`)
  const began = performance.now()
  const ended = Promise.all([once(ws, 'close'), stream.text().catch(() => 'cut')])
  await http.close()
  expect(performance.now() - began).toBeLessThan(2_000)
  await ended
  await expect(fetch(`${base}/healthz`)).rejects.toThrow('fetch failed')
})

test('a port in use is said in one line, with what to do', async () => {
  const second = createHttpServer({
    api: () => new Response(),
    pages,
    upgrade: () => false,
    logger: createLogger('silent'),
    metrics,
  })
  const port = Number(new URL(base).port)
  await expect(second.listen(port, '127.0.0.1')).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: the port is in use; end what listens there, or set PORT to another`,
  )
})

test('a body that does not come in time is refused, an upload may take longer', async () => {
  const slowly = (path: string) => {
    const request = httpRequest(`${base}${path}`, { method: 'POST', headers: { 'content-length': 2 } })
    request.write('a')
    return request
  }
  const upload = slowly('/api/v1/tasks/t/artifacts?path=a')
  const [refused] = (await once(slowly('/api/v1/tasks'), 'response')) as [IncomingMessage]
  expect(refused.statusCode).toBe(400)
  expect(JSON.parse(String(await refused.toArray()))).toMatchObject({
    detail: 'the request did not arrive in time',
  })
  upload.end('b')
  const [taken] = (await once(upload, 'response')) as [IncomingMessage]
  expect(JSON.parse(String(await taken.toArray()))).toEqual({ bytes: 2 })
})
