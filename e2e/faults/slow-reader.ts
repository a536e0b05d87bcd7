import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { segmentFrames } from '../../bench/support/frames.ts'
import { residentMb } from '../../bench/support/memory.ts'
import { sendFrames } from '../../bench/support/sender.ts'
import { until } from './until.ts'

/** A reader that does not read while lines arrive costs no memory, and is told what it did not get. */
export async function readTooSlowly({ lines, mostMb }: { lines: number; mostMb: number }): Promise<void> {
  const server = await TestServer.start({ KERUTA_INGEST_RATE: '0', KERUTA_READER_PATIENCE_MS: '0' })
  const address = (taskId: string) => `${server.url.replace('http', 'ws')}/ws/tasks/${taskId}`
  try {
    // The same load without a reader shows what the server needs anyway.
    await sendFrames(address('alone'), segmentFrames('alone', lines, 1000))
    const before = residentMb(server.pid)

    const ws = new WebSocket(address('slow'), { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
    await once(ws, 'open')
    ws.send(JSON.stringify({ type: 'subscribe', options: { after: 0, batch: true } }))
    await once(ws, 'message')
    ws.pause()
    const parts: [from: number, to: number, kind: 'entries' | 'gap'][] = []
    ws.on('message', data => {
      const frame = JSON.parse(String(data)) as {
        type: string
        entries: LogEntry[]
        from: number
        to: number
      }
      if (frame.type === 'logs') parts.push([frame.entries[0]!.seq, frame.entries.at(-1)!.seq, 'entries'])
      if (frame.type === 'gap') parts.push([frame.from, frame.to, 'gap'])
    })
    await sendFrames(address('slow'), segmentFrames('slow', lines, 1000))
    const grown = residentMb(server.pid) - before
    assert(grown <= mostMb, `the server's memory grew by ${grown.toFixed(0)} MB while a reader did not read`)

    ws.resume()
    await until('the reader has come to the end', () => parts.at(-1)?.[1] === lines)
    let next = 1
    for (const [from, to] of parts) {
      assert.equal(from, next, 'entries and gaps join without a hole and without an overlap')
      next = to + 1
    }
    assert(
      parts.some(([, , kind]) => kind === 'gap'),
      'the reader was told of a gap',
    )
    ws.terminate()
  } finally {
    await server.dispose()
  }
}
