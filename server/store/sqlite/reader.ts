import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  HeaderRange,
  RecentRange,
  SegmentHeader,
  SegmentReader,
  StoredBody,
  StreamHead,
  TaskHead,
  TaskTotals,
} from '#server/store/store.ts'
import { segmentsPath } from './data-dir.ts'
import { storeError } from './errors.ts'
import { headerColumns, toHeader } from './header-row.ts'
import { streamHead } from './task-log.ts'

const MAX_SEQ = Number.MAX_SAFE_INTEGER

export interface SqliteReader extends SegmentReader {
  /** As in `SegmentStore`. */
  fragmented(least: number, limit: number): Promise<string[]>
}

/** The reading half on a connection of its own, for any thread. The store must have been opened once before. */
export async function openSqliteReader(dataDir: string): Promise<SqliteReader> {
  const db = guarded(() => new DatabaseSync(segmentsPath(dataDir), { readOnly: true, timeout: 5000 }))
  db.exec('PRAGMA cache_size = -4000')
  const queries = createQueries(db)
  return {
    head: taskId => answer(() => queries.heads([taskId]).get(taskId)!),
    heads: taskIds => answer(() => queries.heads(taskIds)),
    totals: taskIds => answer(() => queries.totals(taskIds)),
    headers: (taskId, range) => answer(() => queries.headers(taskId, range)),
    bodies: (taskId, firstSeqs) => answer(() => queries.bodies(taskId, firstSeqs)),
    recent: range => answer(() => queries.recent(range)),
    taskIds: (after, limit) => answer(() => queries.taskIds(after, limit)),
    fragmented: (least, limit) => answer(() => queries.fragmented(least, limit)),
    async close() {
      db.close()
    },
  }
}

function createQueries(db: DatabaseSync) {
  const lastSeq = db.prepare('SELECT last_seq FROM task_log WHERE task_id = ?')
  const streams = db.prepare('SELECT stream_id, n, end_n FROM stream WHERE task_id = ?')
  const totals = db.prepare('SELECT * FROM task_log WHERE task_id = ?')
  const body = db.prepare(
    'SELECT codec, bytes FROM segment JOIN body ON body.id = body_id WHERE task_id = ? AND first_seq = ?',
  )
  const headers = { asc: prepareHeaders(db, 'ASC'), desc: prepareHeaders(db, 'DESC') }
  const recent = db.prepare(`
    SELECT ${headerColumns} FROM segment
    WHERE max_at <= :maxAt AND max_at >= :from AND min_at < :to
      AND (max_at < :maxAt OR task_id > :taskId OR (task_id = :taskId AND first_seq < :firstSeq))
    ORDER BY max_at DESC, task_id, first_seq DESC LIMIT :limit`)

  const fragmented = db.prepare(
    'SELECT task_id FROM task_log WHERE raw_segments >= ? ORDER BY raw_segments DESC LIMIT ?',
  )

  const taskIds = db.prepare('SELECT task_id FROM task_log WHERE task_id > ? ORDER BY task_id LIMIT ?')

  function headOf(taskId: string): TaskHead {
    const known = new Map<string, StreamHead>()
    for (const row of streams.all(taskId)) known.set(row.stream_id as string, streamHead(row))
    return { lastSeq: Number(lastSeq.get(taskId)?.last_seq ?? 0), streams: known }
  }

  return {
    heads(taskIds: string[]): Map<string, TaskHead> {
      db.exec('BEGIN')
      try {
        return new Map(taskIds.map(taskId => [taskId, headOf(taskId)]))
      } finally {
        db.exec('COMMIT')
      }
    },
    taskIds(after: string, limit: number): string[] {
      return taskIds.all(after, limit).map(row => row.task_id as string)
    },
    totals(taskIds: string[]): Map<string, TaskTotals> {
      return new Map(taskIds.map(taskId => [taskId, toTotals(totals.get(taskId))]))
    },
    headers(taskId: string, { after = 0, before = MAX_SEQ, order, limit }: HeaderRange): SegmentHeader[] {
      return headers[order].all({ taskId, after, before, limit }).map(toHeader)
    },
    bodies(taskId: string, firstSeqs: number[]): StoredBody[] {
      return firstSeqs.flatMap(firstSeq => {
        const row = body.get(taskId, firstSeq)
        return row
          ? [{ firstSeq, codec: row.codec as StoredBody['codec'], body: row.bytes as Uint8Array }]
          : []
      })
    },
    recent({ from = 0, to = MAX_SEQ, cursor, limit }: RecentRange): SegmentHeader[] {
      const { maxAt, taskId, firstSeq } = cursor ?? { maxAt: MAX_SEQ, taskId: '', firstSeq: 0 }
      return recent.all({ maxAt, taskId, firstSeq, from, to, limit }).map(toHeader)
    },
    fragmented(least: number, limit: number): string[] {
      return fragmented.all(least, limit).map(row => row.task_id as string)
    },
  }
}

/** Each answer is a turn of the event loop, or a caller in a loop would let nothing else of its thread happen. */
async function answer<T>(call: () => T): Promise<T> {
  await nextTurn()
  return guarded(call)
}

/** The segment that holds `after + 1` may begin before it. */
function prepareHeaders(db: DatabaseSync, direction: 'ASC' | 'DESC') {
  return db.prepare(`
    SELECT ${headerColumns} FROM segment
    WHERE task_id = :taskId AND first_seq < :before AND first_seq + count - 1 > :after
      AND first_seq >= coalesce((SELECT max(first_seq) FROM segment WHERE task_id = :taskId AND first_seq <= :after + 1), 0)
    ORDER BY first_seq ${direction} LIMIT :limit`)
}

function toTotals(row: Record<string, unknown> | undefined): TaskTotals {
  const number = (field: string) => Number(row?.[field] ?? 0)
  return {
    firstSeq: number('first_seq'),
    lastSeq: number('last_seq'),
    lines: number('lines'),
    textBytes: number('text_bytes'),
    storedBytes: number('stored_bytes'),
    counts: row ? (JSON.parse(row.counts as string) as number[]) : new Array<number>(15).fill(0),
  }
}

function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw storeError(error)
  }
}
