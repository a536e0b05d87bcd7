import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame } from '#protocol/frames.ts'
import { Segment } from '#protocol/segment.ts'
import { encodeSegmentFrame } from '#protocol/segment-frame.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { Principal } from '#server/auth/principal.ts'
import { createIngest } from '#server/logs/ingest.ts'
import { openTestStore, type TestStore } from '#server/test/log-store.ts'
import type { Access } from './access.ts'
import { LocalBus } from './bus/local-bus.ts'
import { Hub } from './hub.ts'
import { LiveWriters } from './live-writers.ts'
import { createTaskSockets } from './websocket.ts'

const AGENT: Principal = {
  id: 'a',
  name: 'a',
  role: 'agent',
  sessionIds: null,
  taskId: null,
  keyId: null,
  via: 'header',
  expiresAt: null,
}

let opened: TestStore
let http: Server
let hub: Hub
let accepted: Socket
let endToken: (error: KerutaError) => void
let writers: LiveWriters
let mayWrite: Access['write']
let heartbeat: (taskId: string, agentId: string) => Promise<void>
let cancelled: boolean
beforeEach(async () => {
  heartbeat = async () => {}
  cancelled = false
  opened = await openTestStore()
  const { segments } = opened.store
  writers = new LiveWriters()
  mayWrite = async () => {}
  const ingest = createIngest({
    segments,
    ensureTask: async () => {},
    publish: () => {},
    onCommit: () => {},
    now: Date.now,
  })
  hub = new Hub({
    queries: { read: async (_, __, after) => ({ entries: [], cursor: after, lastSeq: after }) },
    bus: new LocalBus(),
    lastSeq: async () => 0,
    maxQueueBytes: 1_000_000,
    patienceMs: 0,
    maxPerSecond: 0,
    onGap: () => {},
    onSent: () => {},
  })
  const sockets = createTaskSockets({
    hub,
    ingest,
    access: { read: async () => {}, write: (...given) => mayWrite(...given) },
    watchToken: (_, onEnd) => {
      endToken = onEnd
      return () => {}
    },
    lastSeq: async taskId => (await segments.head(taskId)).lastSeq,
    inputs: { pending: async () => [], taken: async () => {} },
    isCancelled: async () => cancelled,
    heartbeat: (...given) => heartbeat(...given),
    writer: taskId => writers.add(taskId),
    reader: () => () => {},
    maxMessagesPerSecond: 0,
    authenticate: async () => AGENT,
    refuse: socket => void socket.destroy(),
  })
  http = createServer().on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
  http.on('connection', socket => {
    accepted = socket
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
})
afterEach(async () => {
  vi.useRealTimers()
  http.close()
  await opened.close()
})

async function connect(taskId: string) {
  const ws = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws/tasks/${taskId}`)
  const frames: ServerFrame[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  await once(ws, 'open')
  return { ws, frames }
}

/** More than the system keeps for a connection. */
function publishMuch(taskId: string, times: number): void {
  const writer = new SegmentWriter({ textBytes: 1024 * 1024 })
  while (writer.addString('x'.repeat(60_000), 0, 1));
  const segment = new Segment(writer.finish())
  for (let part = 0; part < 20; part++) hub.publish(taskId, 1 + (20 * times + part) * segment.count, segment)
}

function frame(firstN: number, lines: string[]): Uint8Array {
  const writer = new SegmentWriter()
  for (const line of lines) writer.addString(line, Date.now(), 1)
  return encodeSegmentFrame({ streamId: 's', firstN, segment: writer.finish() })
}

test('A store that is away when a writer comes keeps it no longer than it is away', async () => {
  mayWrite = async () => {
    throw new KerutaError('STORE_UNAVAILABLE', 'away')
  }
  const { ws, frames } = await connect('t')
  ws.send(frame(1, ['a']))
  await expect.poll(() => frames).toMatchObject([{ type: 'error', code: 'STORE_UNAVAILABLE', n: 0 }])
  mayWrite = async () => {}
  ws.send(frame(1, ['a', 'b']))
  await expect.poll(() => frames.at(-1)).toEqual({ type: 'ack', streamId: 's', n: 2 })
  ws.close()
})

test('Who may not write is no writer: nobody is told that more lines are on their way', async () => {
  mayWrite = async () => {
    throw new KerutaError('FORBIDDEN', 'not yours')
  }
  const { ws, frames } = await connect('t')
  ws.send(frame(1, ['a']))
  await expect.poll(() => frames).toMatchObject([{ type: 'error', code: 'FORBIDDEN' }])
  expect(writers.has('t')).toBe(false)
  mayWrite = async () => {}
  ws.send(frame(1, ['a']))
  await expect.poll(() => frames.at(-1)?.type).toBe('ack')
  expect(writers.has('t')).toBe(true)
  ws.close()
  await expect.poll(() => writers.has('t')).toBe(false)
})

test('A reader that takes what it is sent, slowly but on and on, is not taken for dead; one that takes nothing is', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { ws } = await connect('t')
  ws.send('{"type":"subscribe"}')
  await once(ws, 'message')
  ws.pause()
  const taken = () => accepted.bytesWritten - accepted.writableLength
  publishMuch('t', 0)
  await expect.poll(() => accepted.writableLength).toBeGreaterThan(0)
  for (let minute = 0; minute < 3; minute++) {
    vi.advanceTimersByTime(15_000)
    expect(accepted.destroyed).toBe(false)
    const before = taken()
    ws.resume()
    await expect.poll(taken, { interval: 1 }).toBeGreaterThan(before)
    ws.pause()
    publishMuch('t', minute + 1)
    await expect.poll(() => accepted.writableLength).toBeGreaterThan(0)
  }
  vi.advanceTimersByTime(15_000)
  vi.advanceTimersByTime(15_000)
  await expect.poll(() => accepted.destroyed).toBe(true)
  ws.terminate()
})

test('Who asks and asks and never reads the answers is cut off before they fill the memory', async () => {
  const { ws } = await connect('t')
  ws.pause()
  const entries = Array.from({ length: 2000 }, (_, index) => ({ n: index + 1, message: 7 }))
  const bad = JSON.stringify({ type: 'logs', streamId: 's', entries })
  let most = 0
  for (let frames = 0; frames < 400 && !accepted.destroyed; frames++) {
    await new Promise(resolve => ws.send(bad, resolve))
    await new Promise(setImmediate)
    most = Math.max(most, accepted.writableLength)
  }
  await expect.poll(() => accepted.destroyed).toBe(true)
  expect(most).toBeLessThan(20_000_000)
  ws.terminate()
})

test('A connection is ended with its key, whatever the name of that', async () => {
  const { ws } = await connect('t')
  endToken(new KerutaError('UNAUTHENTICATED', `the API key "${'鍵'.repeat(100)}" was revoked`))
  const [code, reason] = await once(ws, 'close')
  expect([code, String(reason)]).toEqual([4401, `the API key "${'鍵'.repeat(36)}`])
})

test('A heartbeat counts for the agent that the hello named, and for none without', async () => {
  const beats: string[] = []
  heartbeat = async (taskId, agentId) => void beats.push(`${taskId} ${agentId}`)
  const { ws, frames } = await connect('t')
  const send = (frame: object) => ws.send(JSON.stringify(frame))
  send({ type: 'heartbeat' })
  send({ type: 'hello', streamId: 's', agentId: 'a/1' })
  await expect.poll(() => frames.at(-1)?.type).toBe('welcome')
  send({ type: 'heartbeat', usage: { rssBytes: 1 } })
  await expect.poll(() => beats).toEqual(['t a/1'])
  ws.close()
})

test('An agent whose run is not its own any more is told so, and of nothing else that a heartbeat fails of', async () => {
  let error = new KerutaError('STORE_UNAVAILABLE', 'away')
  heartbeat = async () => {
    throw error
  }
  const { ws, frames } = await connect('t')
  const send = (frame: object) => ws.send(JSON.stringify(frame))
  send({ type: 'hello', streamId: 's', agentId: 'a/1' })
  await expect.poll(() => frames.at(-1)?.type).toBe('welcome')
  send({ type: 'heartbeat' })
  send({ type: 'ping' })
  await expect.poll(() => frames.at(-1)?.type).toBe('pong')
  error = new KerutaError('ILLEGAL_TRANSITION', 'it is run by b now')
  send({ type: 'heartbeat' })
  await expect
    .poll(() => frames.slice(2))
    .toEqual([{ type: 'error', code: 'ILLEGAL_TRANSITION', message: 'it is run by b now' }])
  cancelled = true
  send({ type: 'heartbeat' })
  await expect.poll(() => frames.at(-1)).toEqual({ type: 'cancel', taskId: 't' })
  ws.close()
})
