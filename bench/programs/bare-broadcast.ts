// The bare loop of fan-out: a ws server that sends what one client brings to all the others, frame by frame, and nothing else.
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { unpack } from '../support/pack.ts'

const readers = new Set<WebSocket>()
const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: false,
  maxPayload: 64 << 20,
})
server.on('connection', (ws, request) => {
  if (request.url === '/reader') readers.add(ws)
  ws.on('message', data => {
    const frames = unpack(data as Buffer)
    for (const reader of readers) for (const frame of frames) reader.send(frame, { binary: false })
  })
})
server.on('listening', () =>
  process.stdout.write(`listens on ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
)
