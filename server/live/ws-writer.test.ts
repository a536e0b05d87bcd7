import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame } from '#protocol/frames.ts'
import { encodeSegmentFrame } from '#protocol/segment-frame.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { Principal } from '#server/auth/principal.ts'
import { createIngest } from '#server/logs/ingest.ts'
import { openTestStore, type TestStore } from '#server/test/log-store.ts'
import type { Access } from './access.ts'
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
let writers: LiveWriters
let mayWrite: Access['write']
beforeEach(async () => {
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
  const sockets = createTaskSockets({
    hub: new Hub({
      queries: { read: async (_, __, after) => ({ entries: [], cursor: after, lastSeq: after }) },
      maxQueueBytes: 1_000_000,
      maxPerSecond: 0,
      onGap: () => {},
      onSent: () => {},
    }),
    ingest,
    access: { read: async () => {}, write: (...given) => mayWrite(...given) },
    watchToken: () => () => {},
    lastSeq: async taskId => (await segments.head(taskId)).lastSeq,
    isCancelled: async () => false,
    writer: taskId => writers.add(taskId),
    reader: () => () => {},
    maxMessagesPerSecond: 0,
    authenticate: async () => AGENT,
    refuse: socket => void socket.destroy(),
  })
  http = createServer().on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
  await once(http.listen(0, '127.0.0.1'), 'listening')
})
afterEach(async () => {
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
