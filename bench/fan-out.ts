import { isUtf8 } from 'node:buffer'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { checkSegment } from '#protocol/segment-check.ts'
import { encodeSegmentFrame } from '#protocol/segment-frame.ts'
import { LogBatch } from '#server/live/log-batch.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { corpusSegment } from './support/corpus.ts'
import { pack } from './support/pack.ts'
import { root, startHelper } from './support/process.ts'
import { median } from './support/samples.ts'

const READERS = 100
const LINES_PER_FRAME = 100
/** Frames on their way that the slowest reader has not got yet: below what a reader's queue holds, so that nothing is dropped. */
const IN_FLIGHT = 8
const FRAMES = { batch: 500, single: 60 }

/** One task, 100 readers: lines that reach all of them, against a bare broadcast of the same frames. */
export async function fanOut(): Promise<Row[]> {
  return [await measure('batch'), await measure('single')]
}

async function measure(kind: 'batch' | 'single'): Promise<Row> {
  const count = FRAMES[kind]
  const samples: number[] = []
  const bareSamples: number[] = []
  // In turns, so that both see the same machine.
  for (let run = 0; run < 4; run++) {
    const measured = await throughKeruta(kind, count)
    const bare = await throughBare(kind, count)
    if (run === 0) continue
    samples.push(measured)
    bareSamples.push(bare)
  }
  const measured = median(samples)
  const bare = median(bareSamples)
  return {
    what: `1 task, ${READERS} WebSocket readers, ${kind === 'batch' ? 'batches' : 'a frame a line'}`,
    measured: measured * READERS,
    unit: 'lines/s to readers',
    bare: bare * READERS,
    bareWhat: 'bare ws broadcast',
    goal: '≥ 0.6 ×',
    ok: measured >= 0.6 * bare,
  }
}

async function throughKeruta(kind: 'batch' | 'single', count: number): Promise<number> {
  const server = await TestServer.start({ KERUTA_INGEST_RATE: '0', KERUTA_READER_RATE: '0' })
  try {
    const url = `${server.url.replace('http', 'ws')}/ws/tasks/fan-out`
    const subscribe = JSON.stringify({ type: 'subscribe', options: { batch: kind === 'batch', after: 0 } })
    const segment = corpusSegment(0, LINES_PER_FRAME)
    const frames = Array.from({ length: count }, (_, index) =>
      encodeSegmentFrame({ streamId: 's', firstN: index * LINES_PER_FRAME + 1, segment }),
    )
    return await broadcast(url, url, subscribe, frames)
  } finally {
    await server.dispose()
  }
}

async function throughBare(kind: 'batch' | 'single', count: number): Promise<number> {
  const server = await startHelper('programs/bare-broadcast.ts')
  try {
    const { segment } = checkSegment(corpusSegment(0, LINES_PER_FRAME), isUtf8)
    const frames = Array.from({ length: count }, (_, index) => {
      const batch = new LogBatch('fan-out', index * LINES_PER_FRAME + 1, segment)
      return pack(kind === 'batch' ? [batch.batchFrame] : batch.frames)
    })
    return await broadcast(`${server.url}/reader`, `${server.url}/writer`, '', frames)
  } finally {
    await server.stop()
  }
}

/** Lines a second from the first frame's sending until the slowest reader has the last line. */
async function broadcast(
  readerUrl: string,
  writerUrl: string,
  subscribe: string,
  frames: Uint8Array[],
): Promise<number> {
  const authorization = `Bearer ${ADMIN_KEY}`
  const args = [readerUrl, String(READERS), subscribe, authorization]
  const readers = fork(join(root, 'bench/programs/readers.ts'), args, { serialization: 'json' })
  const writer = new WebSocket(writerUrl, { headers: { authorization }, perMessageDeflate: false })
  writer.on('message', () => {})
  try {
    await Promise.all([once(readers, 'message'), once(writer, 'open')])
    const startedAt = performance.now()
    await new Promise<void>((resolve, reject) => {
      let sent = 0
      const fill = (slowest: number) => {
        while (sent < frames.length && sent * LINES_PER_FRAME - slowest < IN_FLIGHT * LINES_PER_FRAME)
          writer.send(frames[sent++]!)
        if (slowest >= frames.length * LINES_PER_FRAME) resolve()
      }
      readers.on('message', ({ slowest, gap }: { slowest?: number; gap?: boolean }) => {
        if (gap) reject(new Error('a reader got a gap: too much was in flight for its queue'))
        if (slowest !== undefined) fill(slowest)
      })
      readers.on('exit', code => reject(new Error(`the readers ended with code ${code}`)))
      fill(0)
    })
    return (frames.length * LINES_PER_FRAME * 1000) / (performance.now() - startedAt)
  } finally {
    writer.terminate()
    const ended = once(readers, 'exit')
    readers.kill('SIGKILL')
    await ended
  }
}
