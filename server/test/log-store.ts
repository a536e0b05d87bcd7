import { isUtf8 } from 'node:buffer'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import type { LogEntry } from '#protocol/log.ts'
import { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import type { EntryExtra } from '#protocol/segment-layout.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { openStore, type StoreLocation } from '#server/store/open.ts'
import type { Store } from '#server/store/store.ts'

export const BASE = Date.parse('2024-01-01T00:00:00.000Z')

export interface TestLine {
  message: string
  /** ms after BASE; default rises by 10. */
  at?: number
  level?: number
  source?: number
  /** Default counts up by itself. */
  lineNumber?: number
  extra?: EntryExtra
}

export interface TestStore {
  store: Store
  location: StoreLocation
  /** Appends one segment, merged (compressed) or raw, and answers its entries. */
  append(taskId: string, lines: TestLine[], codec?: 'raw' | 'zstd'): Promise<LogEntry[]>
  close(): Promise<void>
}

/** A real store in a folder of its own. */
export async function openTestStore(): Promise<TestStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keruta-query-'))
  const location: StoreLocation = { kind: 'sqlite', dataDir }
  const store = await openStore(location)
  const { segments } = store
  return {
    store,
    location,
    async append(taskId, lines, codec = 'raw') {
      const writer = new SegmentWriter()
      lines.forEach(({ message, at, level = 1, source = 0, lineNumber, extra }, index) => {
        writer.addString(
          message,
          BASE + (at ?? index * 10),
          level | (source << 3),
          lineNumber ?? index + 1,
          extra,
        )
      })
      const body = writer.finish()
      const { summary } = checkSegment(body, isUtf8)
      const firstSeq = (await segments.head(taskId)).lastSeq + 1
      await segments.append(taskId, firstSeq, [{ body, summary }])
      if (codec === 'zstd')
        await segments.replace(
          taskId,
          [{ firstSeq, count: summary.count }],
          [{ firstSeq, summary, codec, body: zstdCompressSync(body) }],
        )
      const segment = new Segment(body)
      return lines.map((_, index) => segment.entry(index, taskId, firstSeq))
    },
    async close() {
      await store.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
