import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'
import type { Row } from '../rows.ts'
import { median, percentile } from '../support/samples.ts'
import { openPlace, tasksUrl } from './place.ts'

const PER_SECOND = 200
const headers = { authorization: `Bearer ${ADMIN_KEY}` }

/** From a writer on one server to a reader on the same, and on another one over Redis, in turn. */
export async function mongoLatency(lines = 2000, rounds = 3): Promise<Row[]> {
  const place = await openPlace(2)
  try {
    const [a, b] = place.servers as [TestServer, TestServer]
    await measure(a, b, 'warm-up', PER_SECOND)
    const one: number[] = []
    const two: number[] = []
    for (let round = 0; round < rounds; round++) {
      one.push(...(await measure(a, a, `one-${round}`, lines)))
      two.push(...(await measure(a, b, `two-${round}`, lines)))
    }
    const [measured, bare] = [percentile(two, 0.99), percentile(one, 0.99)]
    return [
      {
        what: 'MongoDB: live line across two servers over Redis, p99',
        measured,
        unit: 'ms',
        bare,
        bareWhat: 'on one server',
        goal: '≤ 1.5 ×',
        ok: measured <= 1.5 * bare,
        note: `p50 ${median(two).toFixed(1)} ms, on one ${median(one).toFixed(1)} ms, of ${two.length} lines each, ${PER_SECOND} a second`,
      },
    ]
  } finally {
    await place.dispose()
  }
}

/** @returns milliseconds of each line from its sending to its arrival */
async function measure(from: TestServer, to: TestServer, taskId: string, lines: number): Promise<number[]> {
  const reader = new WebSocket(tasksUrl(to) + taskId, { headers })
  const sentAt = new Map<string, number>()
  const delays: number[] = []
  await once(reader, 'open')
  reader.send(JSON.stringify({ type: 'subscribe', taskId, options: { realtime: true, batch: true } }))
  await once(reader, 'message')
  const all = new Promise<void>((resolve, reject) => {
    reader.on('message', data => {
      const now = performance.now()
      const frame = JSON.parse(String(data)) as { type: string; entries?: { message: string }[] }
      if (frame.type !== 'logs') return
      for (const { message } of frame.entries!) delays.push(now - sentAt.get(message)!)
      if (delays.length === lines) resolve()
    })
    reader.on('close', () => reject(new Error('the reader was closed')))
  })
  const writer = new WebSocket(tasksUrl(from) + taskId, { headers })
  await once(writer, 'open')
  const startedAt = performance.now()
  for (let n = 1; n <= lines; n++) {
    const early = startedAt + (n * 1000) / PER_SECOND - performance.now()
    if (early > 1) await pause(early)
    const message = `line ${n}`
    sentAt.set(message, performance.now())
    writer.send(
      JSON.stringify({
        type: 'logs',
        streamId: 's',
        entries: [{ n, source: 'stdout', level: 'INFO', message }],
      }),
    )
  }
  await all
  writer.terminate()
  reader.terminate()
  return delays
}
