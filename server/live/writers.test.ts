import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import { encodeSegmentFrame } from '#protocol/segment-frame.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

let server: TestServer
let limited: TestServer
beforeAll(async () => {
  server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
  limited = await TestServer.start({ KERUTA_INGEST_RATE: '20' })
})
afterAll(() => Promise.all([server.dispose(), limited.dispose()]))

interface Frame {
  type: string
  [key: string]: unknown
}

async function connect(taskId: string, token = ADMIN_KEY, to = server) {
  const ws = new WebSocket(`${to.url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const frames: Frame[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  await once(ws, 'open')
  return {
    ws,
    frames,
    send: (frame: object | string) => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    /** The first frame of a type, when it is there. */
    frame: async (type: string): Promise<Frame> => {
      await expect.poll(() => frames.find(frame => frame.type === type)).toBeDefined()
      return frames.find(frame => frame.type === type)!
    },
  }
}

const messages = async (taskId: string, to = server) => {
  const page = (await (await to.api(`/tasks/${taskId}/logs?size=1000`)).json()) as { content: LogEntry[] }
  return page.content.map(({ message }) => message)
}

function frame(streamId: string, firstN: number, lines: string[]): Uint8Array {
  const writer = new SegmentWriter()
  for (const [index, line] of lines.entries()) writer.addString(line, Date.now(), 1, firstN + index)
  return encodeSegmentFrame({ streamId, firstN, segment: writer.finish() })
}

describe('A writer over WebSocket', () => {
  test('posts a line as a plain message', async () => {
    const { ws, send } = await connect('plain')
    send({
      type: 'log',
      taskId: 'plain',
      timestamp: '2024-01-01T12:00:00Z',
      source: 'stdout',
      level: 'WARN',
      message: 'hello',
      lineNumber: 42,
      metadata: { processId: 12345 },
    })
    await expect.poll(() => messages('plain').catch(() => [])).toEqual(['hello'])
    ws.close()
  })

  test('of a numbered stream is acknowledged, and what it sends again is stored once', async () => {
    const { ws, frames, send } = await connect('numbered')
    const entry = (n: number) => ({ n, source: 'stdout', level: 'INFO', message: `line ${n}` })
    send({ type: 'logs', streamId: 's', entries: [entry(1), entry(2)] })
    send({ type: 'logs', streamId: 's', entries: [entry(2), entry(3)] })
    send({ type: 'logs', streamId: 's', entries: [entry(1)] })
    await expect
      .poll(() => frames.filter(({ type }) => type === 'ack').at(-1))
      .toEqual({ type: 'ack', streamId: 's', n: 3 })
    expect(await messages('numbered')).toEqual(['line 1', 'line 2', 'line 3'])
    ws.close()
  })

  test('of segments is welcomed with where its stream stands, and goes on there after a reconnect', async () => {
    const first = await connect('segments')
    first.send({ type: 'hello', streamId: 's' })
    expect(await first.frame('welcome')).toMatchObject({ streamId: 's', n: 0 })
    first.ws.send(frame('s', 1, ['a', 'b', 'c']))
    expect(await first.frame('ack')).toEqual({ type: 'ack', streamId: 's', n: 3 })
    first.ws.terminate()
    const second = await connect('segments')
    second.send({ type: 'hello', streamId: 's' })
    expect(await second.frame('welcome')).toMatchObject({ n: 3 })
    second.ws.send(frame('s', 2, ['b', 'c', 'd']))
    expect(await second.frame('ack')).toEqual({ type: 'ack', streamId: 's', n: 4 })
    expect(await messages('segments')).toEqual(['a', 'b', 'c', 'd'])
    second.ws.close()
  })

  test('is told which line must come first when one is missing, and at the end which are', async () => {
    const { ws, send, frame: next, frames } = await connect('missing')
    ws.send(frame('s', 1, ['a']))
    ws.send(frame('s', 3, ['c']))
    expect(await next('error')).toMatchObject({ code: 'OUT_OF_ORDER', streamId: 's', n: 1 })
    frames.length = 0
    send({ type: 'end', streamId: 's', n: 3 })
    expect(await next('error')).toMatchObject({ code: 'OUT_OF_ORDER', streamId: 's', n: 1 })
    ws.send(frame('s', 2, ['b', 'c']))
    send({ type: 'end', streamId: 's', n: 3 })
    expect(await next('complete')).toEqual({ type: 'complete', streamId: 's', n: 3 })
    ws.close()
  })

  test('over the rate is told so and keeps its lines: nothing of them is stored before it sends them again', async () => {
    const { ws, frames, frame: next } = await connect('rate', ADMIN_KEY, limited)
    for (let n = 1; n <= 30; n++) ws.send(frame('s', n, [`line ${n}`]))
    const refused = await next('error')
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', streamId: 's', retryAfterMs: expect.any(Number) })
    await expect.poll(() => frames.filter(({ type }) => type === 'error').length).toBeGreaterThanOrEqual(5)
    const stored = await messages('rate', limited)
    expect(stored).toEqual(stored.map((_, index) => `line ${index + 1}`))
    expect(stored.length).toBeLessThan(30)
    ws.close()
  })

  test.each([
    ['{"type":', /not JSON/],
    ['[]', /not valid/],
    ['{"type":"shout"}', /unknown type; one of subscribe/],
    ['{"type":"log","level":"LOUD","message":"x"}', /level: unknown level "LOUD"; one of DEBUG/],
    ['{"type":"log","source":"stdin","message":"x"}', /source: unknown source; one of stdout/],
    ['{"type":"log","level":"INFO"}', /message: message must be a string/],
    ['{"type":"log","taskId":"other","message":"x"}', /not this connection's task/],
    ['{"type":"subscribe","options":{"search":"(","regex":true}}', /not a regular expression/],
    [
      '{"type":"subscribe","options":{"level":"ERROR"}}',
      /unknown option "level"; there are sources, levels,/,
    ],
    ['{"type":"subscribe","after":0}', /after: belongs into "options"/],
    [
      '{"type":"logs","streamId":"s","entries":[{"n":1,"message":"a"},{"n":3,"message":"b"}]}',
      /n must count up by one/,
    ],
  ])('that sends %s is told what is wrong, and stays connected', async (bad, reason) => {
    const { ws, frames, send, frame: next } = await connect('bad')
    send(bad)
    expect(await next('error')).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(reason) })
    expect(frames.map(({ type }) => type)).toEqual(['error'])
    send({ type: 'ping' })
    await next('pong')
    ws.close()
  })

  test('that sends a broken segment is told what is wrong, and nothing of it is stored', async () => {
    const { ws, frame: next } = await connect('broken')
    const bytes = frame('s', 1, ['a'])
    bytes[bytes.length - 1] = 65
    ws.send(bytes)
    expect(await next('error')).toMatchObject({ code: 'BAD_SEGMENT', streamId: 's', n: 0 })
    ws.close()
  })

  test('that sends a frame of 100 MB is closed with 1009', async () => {
    const { ws } = await connect('huge')
    ws.on('error', () => {}) // the socket may be reset while it still sends
    ws.send(Buffer.alloc(100 * 1024 * 1024))
    const [code] = await once(ws, 'close')
    expect([1009, 1006]).toContain(code)
  })

  test('that may only read is refused, and its lines are not stored', async () => {
    const { key } = await server.post<{ key: string }>('/api-keys', { name: 'viewer', role: 'viewer' })
    const { ws, send, frame: next } = await connect('viewer', key)
    send({ type: 'log', message: 'x' })
    expect(await next('error')).toMatchObject({ code: 'FORBIDDEN' })
    ws.send(frame('s', 1, ['a']))
    expect((await server.api('/tasks/viewer/logs')).status).toBe(404)
    ws.close()
  })

  test('learns that its task was cancelled, also while it was away', async () => {
    const { ws, send, frame: next } = await connect('cancelled')
    send({ type: 'hello', streamId: 's' })
    await next('welcome')
    await server.post('/tasks/cancelled/start', {})
    await server.post('/tasks/cancelled/cancel', { message: 'not needed' })
    expect(await next('cancel')).toEqual({ type: 'cancel', taskId: 'cancelled', message: 'not needed' })
    ws.close()
    const again = await connect('cancelled')
    again.send({ type: 'hello', streamId: 's' })
    await again.frame('cancel')
    again.ws.close()
  })
})

describe('A WebSocket', () => {
  const refusal = (path: string, headers: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) => {
      const ws = new WebSocket(server.url.replace('http', 'ws') + path, { headers })
      ws.on('unexpected-response', (_, response) => resolve(response.statusCode!))
      ws.on('open', () => reject(new Error('was let in')))
      ws.on('error', () => {})
    })

  test.each([
    ['without a token', '/ws/tasks/t', {}, 401],
    ['with a forged token', '/ws/tasks/t?token=eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYWRtaW4ifQ.AAAA', {}, 401],
    ['for an id with a slash', '/ws/tasks/a%2Fb', { authorization: `Bearer ${ADMIN_KEY}` }, 400],
    ['at another path', '/ws/other', { authorization: `Bearer ${ADMIN_KEY}` }, 404],
    ['outside /ws', '/nothing', { authorization: `Bearer ${ADMIN_KEY}` }, 404],
  ])('%s is refused with a status', async (_, path, headers, status) => {
    expect(await refusal(path, headers)).toBe(status)
  })

  test('without any message is subscribed to everything since it connected', async () => {
    const { ws, frames } = await connect('silent')
    await server.post('/tasks/silent/logs', { source: 'stdout', level: 'INFO', message: 'early' })
    await expect
      .poll(() => frames.filter(({ type }) => type === 'log').map(({ message }) => message), {
        timeout: 5000,
      })
      .toEqual(['early'])
    await server.post('/tasks/silent/logs', { source: 'stdout', level: 'INFO', message: 'late' })
    await expect
      .poll(() => frames.filter(({ type }) => type === 'log').map(({ message }) => message))
      .toEqual(['early', 'late'])
    ws.close()
  })

  test('takes the token from the query, for clients that cannot set headers', async () => {
    const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/tasks/query?token=${ADMIN_KEY}`)
    await once(ws, 'open')
    ws.close()
  })
})
