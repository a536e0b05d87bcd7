import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { frameHeaderBytes, writeFrameHeader } from '#protocol/segment-frame.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { corpusSegment, corpusText } from './corpus.ts'
import { residentMb } from './memory.ts'
import { type Frames, sendFrames } from './sender.ts'

export const BIG_LINES = 5_000_000
const LINES_PER_FRAME = 1000
const TASK = 'big'
const COMPACTION_LIMIT_MS = 120_000

/** One task of five million different lines, compacted, and the same lines as a file. */
export interface BigLog {
  server: TestServer
  /** Address of its log in the REST API. */
  url: string
  /** The lines as text, in a file. */
  textPath: string
  textBytes: number
  idleMb: number
  afterIngestMb: number
  /** Seconds from the task's end until nothing was left to compact. */
  compactedIn: number
  dispose(): Promise<void>
}

export async function makeBigLog(): Promise<BigLog> {
  const server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
  await server.api('/tasks')
  const idleMb = residentMb(server.pid)
  await server.post(`/tasks/${TASK}/start`, {})
  await sendFrames(writerUrl(server), corpusFrames())
  await endStream(server)
  const afterIngestMb = residentMb(server.pid)
  const endedAt = performance.now()
  await server.post(`/tasks/${TASK}/success`, {})
  const textPath = join(server.home, 'corpus.txt')
  await writeCorpus(textPath)
  await compacted(server)
  const compactedIn = (performance.now() - endedAt) / 1000
  return {
    server,
    url: `${server.url}/api/v1/tasks/${TASK}/logs`,
    textPath,
    textBytes: (await stat(textPath)).size,
    idleMb,
    afterIngestMb,
    compactedIn,
    dispose: () => server.dispose(),
  }
}

/** Bytes of all files of the data folder, as the file system counts them. */
export async function bytesOnDisk(server: TestServer): Promise<number> {
  const folder = join(server.home, 'data')
  const sizes = await Promise.all(
    (await readdir(folder)).map(async name => (await stat(join(folder, name))).blocks * 512),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

const writerUrl = (server: TestServer) => `${server.url.replace('http', 'ws')}/ws/tasks/${TASK}`

/** Encoded as they are sent: all of them at once would fill the memory. */
function corpusFrames(): Frames {
  const streamId = 'corpus'
  const at = frameHeaderBytes(streamId)
  return {
    count: BIG_LINES / LINES_PER_FRAME,
    bytes: 100 * LINES_PER_FRAME,
    linesUpTo: index => (index + 1) * LINES_PER_FRAME,
    at(index) {
      const segment = corpusSegment(index * LINES_PER_FRAME, LINES_PER_FRAME)
      const frame = new Uint8Array(at + segment.length)
      writeFrameHeader(frame, streamId, index * LINES_PER_FRAME + 1)
      frame.set(segment, at)
      return frame
    },
  }
}

async function endStream(server: TestServer): Promise<void> {
  const ws = new WebSocket(writerUrl(server), { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  await once(ws, 'open')
  ws.send(JSON.stringify({ type: 'end', streamId: 'corpus', n: BIG_LINES }))
  for (;;) {
    const [data] = (await once(ws, 'message')) as [Buffer]
    const answer = JSON.parse(String(data))
    if (answer.type === 'complete') break
    if (answer.type === 'error') throw new Error(answer.message)
  }
  ws.close()
}

async function writeCorpus(path: string): Promise<void> {
  const file = createWriteStream(path)
  for (let first = 0; first < BIG_LINES; first += 10_000) {
    if (!file.write(corpusText(first, 10_000))) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}

/** Resolves once nothing of the task is uncompressed and the free pages are given back. */
async function compacted(server: TestServer): Promise<void> {
  const db = new DatabaseSync(join(server.home, 'data/segments.db'), { readOnly: true, timeout: 5000 })
  const rawSegments = db.prepare('SELECT raw_segments AS value FROM task_log WHERE task_id = ?')
  const freePages = db.prepare('SELECT freelist_count AS value FROM pragma_freelist_count')
  const deadline = performance.now() + COMPACTION_LIMIT_MS
  try {
    while (Number(rawSegments.get(TASK)?.value) > 0 || Number(freePages.get()?.value) > 1000) {
      if (performance.now() > deadline) return
      await pause(200)
    }
  } finally {
    db.close()
  }
}
