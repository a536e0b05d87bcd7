import { join } from 'node:path'
import type { Row } from './rows.ts'
import { buildAgent, bundle, cli } from './support/agent.ts'
import { root, timeOf } from './support/process.ts'
import { median, repeat } from './support/samples.ts'

/** How soon the agent answers in each of its forms; makes the files first. */
export async function forms(): Promise<Row[]> {
  await buildAgent()
  const started: [string, string[]][] = [
    ['from source', [process.execPath, cli]],
    ['bundled', [process.execPath, bundle]],
  ]
  if (process.platform === 'linux') started.push(['as an executable', [join(root, 'dist/keruta')]])
  const rows: Row[] = []
  for (const [form, [file, ...args]] of started) {
    const help = () => timeOf(file!, [...args, '--help'])
    const measured = median(await repeat(2, 15, help)) * 1000
    rows.push({
      what: `keruta --help, ${form}`,
      measured,
      unit: 'ms',
      goal: '≤ 120 ms',
      ok: measured <= 120,
    })
  }
  return rows
}
