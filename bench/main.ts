// npm run bench [-- NAME…]: measures what users feel, against bare loops of the same run, and prints one table.
// --store mongodb: what is there over MongoDB and Redis instead; on a real server where KERUTA_TEST_MONGODB_URL names one.
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { agent } from './agent.ts'
import { artifacts } from './artifacts.ts'
import { bigLog } from './big-log.ts'
import { daemon } from './daemon.ts'
import { fanOut } from './fan-out.ts'
import { forms } from './forms.ts'
import { ingest } from './ingest.ts'
import { liveLatency } from './live-latency.ts'
import { masking } from './masking.ts'
import { mongoIngest } from './mongodb/ingest.ts'
import { mongoLatency } from './mongodb/latency.ts'
import { mongoPages } from './mongodb/pages.ts'
import { mongoServers } from './mongodb/servers.ts'
import { queue } from './queue.ts'
import { printTable, type Row } from './rows.ts'

type Measurements = Record<string, () => Promise<Row[]>>

const onSqlite: Measurements = {
  ingest,
  'live-latency': liveLatency,
  'fan-out': fanOut,
  'big-log': bigLog,
  agent,
  artifacts,
  daemon,
  forms,
  masking,
  queue,
}

const onMongodb: Measurements = {
  ingest: () => mongoIngest(),
  pages: () => mongoPages(),
  'live-latency': () => mongoLatency(),
  servers: () => mongoServers(),
}

const { values, positionals: named } = parseArgs({
  options: { store: { type: 'string', default: 'sqlite' } },
  allowPositionals: true,
})
if (!['sqlite', 'mongodb'].includes(values.store)) {
  console.error(`unknown store: ${values.store}; sqlite or mongodb`)
  process.exit(2)
}
const measurements = values.store === 'mongodb' ? onMongodb : onSqlite
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
