import { createHash } from 'node:crypto'
import { SourceCapture } from '#agent/capture/capture.ts'
import { Secrets } from '#agent/mask/secrets.ts'
import type { Row } from './rows.ts'
import { median, repeat } from './support/samples.ts'

const LINE =
  '2026-01-01T12:00:00.123Z INFO  build: compiling module 4711 of the application, target web, level 3\n'
const MB = 200
/** What a pipe gives at once. */
const CHUNK_BYTES = 64 * 1024

/** What secrets cost: bytes made lines of, with none, a few and very many of them. */
export async function masking(): Promise<Row[]> {
  const text = Buffer.from(LINE.repeat(Math.ceil((CHUNK_BYTES * 64) / LINE.length)))
  const chunks = Array.from({ length: 64 }, (_, index) =>
    text.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  )
  const speed = async (count: number) => {
    const secrets = new Secrets(() => {})
    for (const value of manySecrets(count)) secrets.add(value, 'a secret')
    const capture = new SourceCapture({ block: () => {}, line: () => {} }, { source: 0, secrets })
    const once = async () => {
      const before = process.cpuUsage()
      for (let done = 0; done < MB * 1e6; done += chunks.length * CHUNK_BYTES)
        for (const chunk of chunks) capture.push(chunk)
      const { user, system } = process.cpuUsage(before)
      return MB / ((user + system) / 1e6)
    }
    const measured = median(await repeat(1, 5, once))
    capture.end()
    return measured
  }
  const without = await speed(0)
  const rows: Row[] = []
  for (const [count, least] of [
    [0, 1],
    [10, 0.75],
    [1000, 0.6],
  ] as const) {
    const measured = count === 0 ? without : await speed(count)
    rows.push({
      what: `bytes made lines of, ${count} secrets`,
      measured,
      unit: 'MB/s of CPU',
      bare: without,
      bareWhat: 'no secrets',
      goal: `≥ ${least} ×`,
      ok: measured >= least * without,
    })
  }
  return rows
}

/** Like tokens, keys and passwords: letters and digits, base64, and what URLs have to encode. */
export function manySecrets(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const hash = createHash('sha256').update(String(index))
    const kinds = [
      () => hash.digest('hex').slice(0, 40),
      () => hash.digest('base64'),
      () => `p@ss/${hash.digest('base64url').slice(0, 12)}`,
    ]
    return kinds[index % kinds.length]!()
  })
}
