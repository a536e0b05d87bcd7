import { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { segmentsPath } from './data-dir.ts'
import { createUpkeep } from './upkeep.ts'
import {
  type Outcome,
  type PlacedOp,
  plainError,
  type WriterReply,
  type WriterRequest,
} from './writer-messages.ts'
import { createWriterOps, type NextBody } from './writer-ops.ts'

/** The one thread that writes segments. All that has arrived goes into one transaction, so that one fsync serves many. */

type Batch = WriterRequest & { kind: 'batch' }

/** A group takes no further batch beyond this, so that nobody waits long for a commit. */
const GROUP_BYTES = 16 * 1024 * 1024

const port = parentPort!
const { dataDir } = workerData as { dataDir: string }
const db = new DatabaseSync(segmentsPath(dataDir), { timeout: 100 })
db.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8000')
const writerOps = createWriterOps(db)
const upkeep = createUpkeep(db)

port.on('message', (first: WriterRequest) => {
  let closing = first.kind === 'close'
  const batches: Batch[] = first.kind === 'batch' ? [first] : []
  let bytes = batches[0]?.size ?? 0
  while (!closing && bytes < GROUP_BYTES) {
    const more = receiveMessageOnPort(port)?.message as WriterRequest | undefined
    if (!more) break
    if (more.kind === 'close') closing = true
    else {
      batches.push(more)
      bytes += more.size
    }
  }
  if (batches.length > 0) commit(batches)
  if (closing) close()
  else upkeep.afterCommit()
})
reply({ kind: 'ready' })

function commit(batches: Batch[]): void {
  const all = batches.flatMap(({ ops, bytes }) => ops.map(op => ({ op, bytes })))
  let outcomes = attempt(all)
  // One that fails must not take the others with it.
  if (all.length > 1 && outcomes.some(outcome => 'error' in outcome))
    outcomes = all.flatMap(one => attempt([one]))
  let at = 0
  for (const { ops, bytes } of batches) {
    reply({ kind: 'done', outcomes: outcomes.slice(at, at + ops.length), bytes }, [bytes])
    at += ops.length
  }
}

/** One transaction: all of it, or the same error for each. */
function attempt(all: { op: PlacedOp; bytes: ArrayBuffer }[]): Outcome[] {
  try {
    db.exec('BEGIN IMMEDIATE')
    const outcomes = all.map(({ op, bytes }) => ({ value: writerOps.run(op, bodies(bytes, op.at)) }))
    writerOps.writeTotals()
    db.exec('COMMIT')
    return outcomes
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    writerOps.forget()
    return all.map(() => ({ error: plainError(error) }))
  }
}

function bodies(bytes: ArrayBuffer, from: number): NextBody {
  let at = from
  return size => {
    at += size
    return new Uint8Array(bytes, at - size, size)
  }
}

function close(): void {
  upkeep.stop()
  db.close()
  port.close()
}

function reply(message: WriterReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
