import type { TestServer } from '#server/testing/test-server.ts'
import type { Row } from '../rows.ts'
import { segmentFrames } from '../support/frames.ts'
import { median } from '../support/samples.ts'
import { sendFrames } from '../support/sender.ts'
import { openPlace, tasksUrl } from './place.ts'

const AGENTS = 6

/** The same agents on one server, and spread over three on one store, in turn: what more servers cost where there are no more cores. */
export async function mongoServers(lines = 120_000, rounds = 8): Promise<Row[]> {
  const place = await openPlace(3)
  try {
    const one: number[] = []
    const three: number[] = []
    await rate(place.servers, 'warm-up', lines)
    for (let round = 0; round < rounds; round++) {
      const alone = async () => one.push(await rate(place.servers.slice(0, 1), `one-${round}`, lines))
      const together = async () => three.push(await rate(place.servers, `three-${round}`, lines))
      // Each is as often the first of the two, who leaves logs behind that are being merged.
      for (const measure of round % 2 ? [alone, together] : [together, alone]) await measure()
    }
    const [measured, bare] = [median(three), median(one)]
    return [
      {
        what: `MongoDB: ingest of ${AGENTS} agents by three servers`,
        measured,
        unit: 'lines/s',
        bare,
        bareWhat: 'by one server',
        goal: '≥ 1 ×',
        ok: measured >= bare,
      },
    ]
  } finally {
    await place.dispose()
  }
}

async function rate(servers: TestServer[], name: string, lines: number): Promise<number> {
  const loads = Array.from({ length: AGENTS }, () => segmentFrames(name, lines / AGENTS, 200))
  const startedAt = performance.now()
  await Promise.all(
    loads.map((frames, agent) =>
      sendFrames(`${tasksUrl(servers[agent % servers.length]!)}${name}-${agent}`, frames),
    ),
  )
  return (lines * 1000) / (performance.now() - startedAt)
}
