import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { jsonFrames, segmentFrames } from './support/frames.ts'
import { startHelper } from './support/process.ts'
import { median, repeat } from './support/samples.ts'
import { type Frames, sendFrames } from './support/sender.ts'

/** Lines a second that are durable when acknowledged: from real WebSockets into a real server process. */
export async function ingest(): Promise<Row[]> {
  const server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
  const folder = await mkdtemp(join(tmpdir(), 'keruta-bench-'))
  const bare = await startHelper('programs/bare-json-rows.ts', join(folder, 'rows.db'))
  try {
    const keruta = (lines: number, perFrame: number, agents: number) =>
      rate(`${server.url.replace('http', 'ws')}/ws/tasks/`, segmentFrames, lines, perFrame, agents)
    const rows = (lines: number, perFrame: number, agents: number) =>
      rate(`${bare.url}/`, jsonFrames, lines, perFrame, agents)
    const large = median(await repeat(1, 5, () => keruta(1_000_000, 1000, 1)))
    const largeBare = median(await repeat(1, 3, () => rows(300_000, 1000, 1)))
    const small = median(await repeat(1, 3, () => keruta(200_000, 10, 1)))
    const smallBare = median(await repeat(1, 3, () => rows(100_000, 10, 1)))
    const many = median(await repeat(1, 3, () => keruta(500_000, 10, 50)))
    const manyBare = median(await repeat(1, 3, () => rows(200_000, 10, 50)))
    const bareWhat = 'JSON rows, node:sqlite'
    return [
      {
        what: 'durable ingest, segments of 1000 lines, 1 agent',
        measured: large,
        unit: 'lines/s',
        bare: largeBare,
        bareWhat,
        goal: '≥ 1 200 000, ≥ 3 ×',
        ok: large >= 1_200_000 && large >= 3 * largeBare,
      },
      {
        what: 'frames of 10 lines, 1 agent',
        measured: small,
        unit: 'lines/s',
        bare: smallBare,
        bareWhat,
        goal: '≥ 120 000',
        ok: small >= 120_000,
      },
      {
        what: 'frames of 10 lines, 50 agents',
        measured: many,
        unit: 'lines/s',
        bare: manyBare,
        bareWhat,
        goal: '≥ 200 000',
        ok: many >= 200_000,
      },
    ]
  } finally {
    await bare.stop()
    await server.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

let run = 0

/** Lines a second of all agents together, each with a task of its own. */
async function rate(
  base: string,
  frames: (streamId: string, lines: number, linesPerFrame: number) => Frames,
  lines: number,
  linesPerFrame: number,
  agents: number,
): Promise<number> {
  run++
  const loads = Array.from({ length: agents }, (_, agent) =>
    frames(`s${run}-${agent}`, lines / agents, linesPerFrame),
  )
  const startedAt = performance.now()
  await Promise.all(loads.map((load, agent) => sendFrames(`${base}bench-${run}-${agent}`, load)))
  return (lines * 1000) / (performance.now() - startedAt)
}
