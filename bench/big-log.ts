import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Row } from './rows.ts'
import { BIG_LINES, type BigLog, bytesOnDisk, makeBigLog } from './support/big-log.ts'
import { streamedGet, timedGet } from './support/http.ts'
import { residentMb, watchMemory } from './support/memory.ts'
import { median, repeat } from './support/samples.ts'

const run = promisify(execFile)
const ABSENT = 'no line of the corpus says this'

/** Reading a task of five million lines, and what it takes up. */
export async function bigLog(): Promise<Row[]> {
  const log = await makeBigLog()
  try {
    const diskPerByte = (await bytesOnDisk(log.server)) / log.textBytes
    return [
      ...(await pages(log)),
      ...(await counts(log)),
      await search(log),
      ...(await exportCsv(log)),
      ...sizes(log, diskPerByte),
    ]
  } finally {
    await log.dispose()
  }
}

async function pages({ url }: BigLog): Promise<Row[]> {
  const last = BIG_LINES / 100 - 1
  const places = { first: 0, middle: Math.floor(last / 2) + 7, last }
  const rows: Row[] = []
  for (const [name, page] of Object.entries(places)) {
    const ms = median(await repeat(10, 60, async () => (await timedGet(`${url}?page=${page}&size=100`)).ms))
    rows.push(atMost(`page of 100 lines of ${BIG_LINES}: ${name}`, ms, 10, 'ms'))
  }
  const read = async (): Promise<number> => {
    const after = Math.floor(Math.random() * (BIG_LINES - 100))
    const { body, ms } = await timedGet(`${url}?after=${after}&limit=100`)
    if (JSON.parse(String(body)).content[0].seq !== after + 1) throw new Error('the page is a wrong one')
    return ms
  }
  return [
    ...rows,
    atMost('page anywhere (by seq, a new place each time)', median(await repeat(10, 100, read)), 10, 'ms'),
  ]
}

async function counts({ url }: BigLog): Promise<Row[]> {
  const stats = async () => {
    const { body, ms } = await timedGet(`${url}/stats`)
    if (JSON.parse(String(body)).totalLogs !== BIG_LINES) throw new Error('the stats are wrong')
    return ms
  }
  const histogram = async () => {
    const { body, ms } = await timedGet(`${url}/stats?interval=60s`)
    if (JSON.parse(String(body)).histogram.buckets.length < 100) throw new Error('the histogram is wrong')
    return ms
  }
  return [
    atMost('stats', median(await repeat(2, 20, stats)), 20, 'ms'),
    atMost('histogram, buckets of a minute', median(await repeat(1, 9, histogram)), 100, 'ms'),
  ]
}

async function search({ url, textPath }: BigLog): Promise<Row> {
  const inKeruta = async () => {
    const startedAt = performance.now()
    for (let after = 0, done = false; !done; ) {
      const { body } = await timedGet(
        `${url}?search=${encodeURIComponent(ABSENT)}&caseSensitive=true&after=${after}&limit=100`,
      )
      const answer = JSON.parse(String(body))
      if (answer.content.length > 0) throw new Error('a line was found that is not there')
      after = answer.cursor
      done = answer.done
    }
    return (BIG_LINES * 1000) / (performance.now() - startedAt)
  }
  const withGrep = async () => {
    const startedAt = performance.now()
    await run('grep', ['-cF', ABSENT, textPath]).catch(() => {}) // 1 says that nothing matched
    return (BIG_LINES * 1000) / (performance.now() - startedAt)
  }
  const measured = median(await repeat(1, 5, inKeruta))
  return {
    what: 'substring search without a match',
    measured,
    unit: 'lines/s',
    bare: median(await repeat(1, 5, withGrep)),
    bareWhat: 'grep -cF, raw file in memory',
    goal: '≥ 10 000 000',
    ok: measured >= 10_000_000,
  }
}

async function exportCsv({ url, server }: BigLog): Promise<Row[]> {
  const download = async () => {
    let bytes = 0
    const startedAt = performance.now()
    await streamedGet(`${url}/export?format=csv`, chunk => {
      bytes += chunk.length
    })
    if (bytes < BIG_LINES * 100) throw new Error(`the export has only ${bytes} bytes`)
    return (BIG_LINES * 1000) / (performance.now() - startedAt)
  }
  const before = residentMb(server.pid)
  const most = watchMemory(server.pid)
  const measured = median(await repeat(0, 3, download))
  const added = most() - before
  return [
    { what: 'export as CSV', measured, unit: 'lines/s', goal: '≥ 800 000', ok: measured >= 800_000 },
    atMost('memory that the exports add', added, 80, 'MB'),
  ]
}

function sizes({ idleMb, afterIngestMb, compactedIn, textBytes }: BigLog, diskPerByte: number): Row[] {
  return [
    atMost('server memory, idle', idleMb, 250, 'MB'),
    atMost(`server memory after ${BIG_LINES} lines`, afterIngestMb, 400, 'MB'),
    {
      ...atMost('disk per raw byte after compaction', diskPerByte, 0.3, ''),
      note: `all files of the data folder against ${Math.round(textBytes / 1e6)} MB of text, ${compactedIn.toFixed(0)} s after the task’s end`,
    },
  ]
}

function atMost(what: string, measured: number, most: number, unit: string): Row {
  return { what, measured, unit, goal: `≤ ${most} ${unit}`.trim(), ok: measured <= most }
}
