import { expect, onTestFinished, test, vi } from 'vitest'
import { createMetrics } from './metrics.ts'

test('lines and bytes are counted by direction, latency by buckets, readers as they come and go', async () => {
  const metrics = createMetrics(async () => ({}))
  metrics.received(1000, 93_000)
  metrics.received(10, 930)
  metrics.sent(5, 465)
  metrics.ingested(0.004)
  const leave = metrics.reader('sse')
  metrics.reader('sse')
  leave()
  leave()
  metrics.gap()
  const lines = (await metrics.text()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'keruta_log_lines_total{direction="in"} 1010',
      'keruta_log_bytes_total{direction="in"} 93930',
      'keruta_log_lines_total{direction="out"} 5',
      'keruta_ingest_latency_seconds_bucket{le="0.0025"} 0',
      'keruta_ingest_latency_seconds_bucket{le="0.005"} 1',
      'keruta_readers{transport="sse"} 1',
      'keruta_readers{transport="websocket"} 0',
      'keruta_gaps_total 1',
    ]),
  )
})

test('tasks are counted when they are asked for, and the process is described', async () => {
  let counts: Record<string, number> = { PENDING: 2 }
  const metrics = createMetrics(async () => counts)
  expect(await metrics.text()).toContain('keruta_tasks{status="PENDING"} 2')
  counts = { FAILED: 1 }
  const text = await metrics.text()
  expect(text).toContain('keruta_tasks{status="FAILED"} 1')
  expect(text).not.toContain('PENDING')
  expect(text).toContain('process_resident_memory_bytes')
  expect(metrics.contentType).toContain('text/plain')
})

test('while the store is away or does not answer, all else is told, and that it is away', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let tasks: () => Promise<Record<string, number>> = async () => ({ PENDING: 3 })
  const metrics = createMetrics(() => tasks())
  const textWith = async (answer: typeof tasks) => {
    tasks = answer
    const text = metrics.text()
    await vi.advanceTimersByTimeAsync(10_000)
    return text
  }
  expect(await textWith(tasks)).toMatch(/^keruta_store_up 1$/m)
  for (const away of [() => Promise.reject(new Error('away')), () => new Promise<never>(() => {})]) {
    const text = await textWith(away)
    expect(text).toMatch(/^keruta_store_up 0$/m)
    expect(text).toMatch(/^keruta_gaps_total 0$/m)
    expect(text).not.toContain('keruta_tasks{')
  }
  expect(await textWith(async () => ({ PENDING: 4 }))).toMatch(/^keruta_tasks{status="PENDING"} 4$/m)
})
