import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Transport = 'websocket' | 'socketio' | 'sse'

export interface Metrics {
  /** Lines stored, once a commit; `bytes` of their text. */
  received(lines: number, bytes: number): void
  /** Lines handed to a reader's connection, once a batch. */
  sent(lines: number, bytes: number): void
  /** From a frame's arrival to its acknowledgement. */
  ingested(seconds: number): void
  /** A reader came; the answer is called when it goes. */
  reader(transport: Transport): () => void
  /** Bytes of artifacts that came, and that went. */
  artifactReceived(bytes: number): void
  artifactSent(bytes: number): void
  /** A slow reader was told of a gap. */
  gap(): void
  /** An agent asked for a task; whether it got one. */
  claimed(found: boolean): void
  /** The server ended a run: its agent was silent, or it went on after its timeout. */
  runEnded(why: 'lost' | 'timeout'): void
  httpRequest(area: string, method: string, status: number, seconds: number): void
  readonly contentType: string
  /** Prometheus text. */
  text(): Promise<string>
}

/** How long a store may take at a scrape. */
const STORE_MS = 4000

/**
 * @param countTasks how many tasks there are of each status; asked at each scrape
 * @param busUp whether other servers are heard
 * @param countWaiting how many tasks wait for an agent, by the status of their session; asked at each scrape
 */
export function createMetrics(
  countTasks: () => Promise<Record<string, number>>,
  busUp: () => boolean = () => true,
  countWaiting: () => Promise<Record<string, number>> = async () => ({}),
): Metrics {
  const register = new Registry()
  const registers = [register]
  collectDefaultMetrics({ register })

  const direction = { labelNames: ['direction'] as const, registers }
  const lines = new Counter({
    name: 'keruta_log_lines_total',
    help: 'Log lines stored (in) and sent (out)',
    ...direction,
  })
  const bytes = new Counter({
    name: 'keruta_log_bytes_total',
    help: 'Bytes of text of those lines',
    ...direction,
  })
  const linesIn = lines.labels('in')
  const linesOut = lines.labels('out')
  const bytesIn = bytes.labels('in')
  const bytesOut = bytes.labels('out')
  const artifactBytes = new Counter({
    name: 'keruta_artifact_bytes_total',
    help: 'Bytes of artifacts received (in) and sent (out)',
    ...direction,
  })
  const artifactsIn = artifactBytes.labels('in')
  const artifactsOut = artifactBytes.labels('out')
  const ingestLatency = new Histogram({
    name: 'keruta_ingest_latency_seconds',
    help: 'From the arrival of lines to their durable storage',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  })
  const readers = new Gauge({
    name: 'keruta_readers',
    help: 'Live readers connected now',
    labelNames: ['transport'],
    registers,
  })
  const gaps = new Counter({
    name: 'keruta_gaps_total',
    help: 'Gaps told to readers that were too slow',
    registers,
  })
  const storeUp = new Gauge({
    name: 'keruta_store_up',
    help: '1 while the store answers; without it what follows of tasks is left out',
    registers,
  })
  const tasks = new Gauge({
    name: 'keruta_tasks',
    help: 'Tasks by status',
    labelNames: ['status'],
    registers,
  })
  const queueDepth = new Gauge({
    name: 'keruta_queue_depth',
    help: 'Tasks that wait for an agent, by the status of their session',
    labelNames: ['session'],
    registers,
  })
  new Gauge({
    name: 'keruta_bus_up',
    help: '1 while lines of other servers come at once, 0 while they come from the store',
    registers,
    collect() {
      this.set(busUp() ? 1 : 0)
    },
  })
  const claims = new Counter({
    name: 'keruta_claims_total',
    help: 'Calls of agents for a task, by what they got: a task, or none',
    labelNames: ['result'],
    registers,
  })
  const ended = new Counter({
    name: 'keruta_runs_ended_by_server_total',
    help: 'Runs that the server ended: lost agents (lost), and runs that went on after their timeout (timeout)',
    labelNames: ['why'],
    registers,
  })
  for (const result of ['task', 'none']) claims.inc({ result }, 0)
  for (const why of ['lost', 'timeout']) ended.inc({ why }, 0)
  const httpRequests = new Histogram({
    name: 'keruta_http_request_duration_seconds',
    help: 'HTTP requests by what they asked for',
    labelNames: ['area', 'method', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  })

  for (const transport of ['websocket', 'socketio', 'sse'] satisfies Transport[])
    readers.set({ transport }, 0)

  return {
    received(count, size) {
      linesIn.inc(count)
      bytesIn.inc(size)
    },
    sent(count, size) {
      linesOut.inc(count)
      bytesOut.inc(size)
    },
    ingested: seconds => ingestLatency.observe(seconds),
    reader(transport) {
      readers.inc({ transport })
      let here = true
      return () => {
        if (here) readers.dec({ transport })
        here = false
      }
    },
    artifactReceived: size => artifactsIn.inc(size),
    artifactSent: size => artifactsOut.inc(size),
    gap: () => gaps.inc(),
    claimed: found => claims.inc({ result: found ? 'task' : 'none' }),
    runEnded: why => ended.inc({ why }),
    httpRequest: (area, method, status, seconds) => httpRequests.observe({ area, method, status }, seconds),
    contentType: register.contentType,
    async text() {
      await askStore()
      return register.metrics()
    },
  }

  async function askStore(): Promise<void> {
    const counts = await inTime(Promise.all([countTasks(), countWaiting()]))
    tasks.reset()
    queueDepth.reset()
    storeUp.set(counts ? 1 : 0)
    const [byStatus = {}, bySession = {}] = counts ?? []
    for (const [status, count] of Object.entries(byStatus)) tasks.set({ status }, count)
    for (const [session, count] of Object.entries(bySession)) queueDepth.set({ session }, count)
  }
}

/** Whoever scrapes waits for about 10 s. @returns nothing where it fails or takes too long */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), STORE_MS)
  })
  try {
    return await Promise.race([answer.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
