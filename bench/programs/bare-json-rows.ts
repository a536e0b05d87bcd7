// The bare loop of ingest: a WebSocket server that parses JSON and keeps a row a line, and nothing else.
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { WebSocketServer } from 'ws'

const ROWS_PER_TRANSACTION = 1000

const db = new DatabaseSync(process.argv[2]!)
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE line (task TEXT, seq INTEGER, n INTEGER, at TEXT, source TEXT, level TEXT, message TEXT, metadata TEXT,
    PRIMARY KEY (task, seq)) WITHOUT ROWID`)
const insert = db.prepare('INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
let rows = 0
const toAcknowledge: (() => void)[] = []

function commit(): void {
  if (rows === 0) return
  db.exec('COMMIT')
  rows = 0
  for (const acknowledge of toAcknowledge.splice(0)) acknowledge()
}

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: false,
  maxPayload: 16 << 20,
})
server.on('connection', (ws, request) => {
  const task = request.url!
  let seq = 0
  ws.on('message', data => {
    const { streamId, entries } = JSON.parse(String(data))
    for (const { n, timestamp, source, level, message } of entries) {
      if (rows++ === 0) db.exec('BEGIN')
      insert.run(task, ++seq, n, timestamp, source, level, message, null)
    }
    const stored = seq
    toAcknowledge.push(() => ws.send(JSON.stringify({ type: 'ack', streamId, n: stored })))
    if (rows >= ROWS_PER_TRANSACTION) commit()
    else setImmediate(commit)
  })
})
server.on('listening', () =>
  process.stdout.write(`listens on ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
)
