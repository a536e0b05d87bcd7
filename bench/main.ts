// npm run bench [-- NAME…]: measures what users feel, against bare loops of the same run, and prints one table.
import { cpus, totalmem } from 'node:os'
import { agent } from './agent.ts'
import { bigLog } from './big-log.ts'
import { fanOut } from './fan-out.ts'
import { ingest } from './ingest.ts'
import { liveLatency } from './live-latency.ts'
import { queue } from './queue.ts'
import { printTable, type Row } from './rows.ts'

const measurements: Record<string, () => Promise<Row[]>> = {
  ingest,
  'live-latency': liveLatency,
  'fan-out': fanOut,
  'big-log': bigLog,
  agent,
  queue,
}

const named = process.argv.slice(2)
const unknown = named.filter(name => !(name in measurements))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; one or more of ${Object.keys(measurements).join(', ')}`)
  process.exit(2)
}

const rows: Row[] = []
for (const [name, measure] of Object.entries(measurements)) {
  if (named.length > 0 && !named.includes(name)) continue
  const startedAt = performance.now()
  process.stderr.write(`${name} … `)
  rows.push(...(await measure()))
  process.stderr.write(`${Math.round((performance.now() - startedAt) / 1000)} s\n`)
}

const [cpu] = cpus()
console.log(
  `\n${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, ${process.platform}. Medians after a warm-up.\n`,
)
printTable(rows)
