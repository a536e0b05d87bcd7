import type { DatabaseSync } from 'node:sqlite'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import type { StreamHead, TaskHead } from '#server/store/store.ts'

/** The sums over a task's segments, kept in memory by the one writer and written once a transaction. */
export interface TaskLog {
  taskId: string
  lastSeq: number
  firstSeq: number
  lines: number
  textBytes: number
  storedBytes: number
  rawSegments: number
  counts: number[]
  streams: Map<string, StreamHead>
  changedStreams: Set<string>
}

/** As many logs stay in memory between transactions. */
const KEPT = 2000

/** Reads and writes `task_log` and `stream` for the writer. */
export function createTaskLogs(db: DatabaseSync) {
  const kept = new Map<string, TaskLog>()
  const changed = new Set<TaskLog>()
  const selectLog = db.prepare('SELECT * FROM task_log WHERE task_id = ?')
  const selectStreams = db.prepare('SELECT stream_id, n, end_n FROM stream WHERE task_id = ?')
  const putLog = db.prepare('REPLACE INTO task_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const putStream = db.prepare('REPLACE INTO stream VALUES (?, ?, ?, ?)')

  function read(taskId: string): TaskLog {
    const row = selectLog.get(taskId)
    const number = (field: string) => Number(row?.[field] ?? 0)
    return {
      taskId,
      lastSeq: number('last_seq'),
      firstSeq: number('first_seq'),
      lines: number('lines'),
      textBytes: number('text_bytes'),
      storedBytes: number('stored_bytes'),
      rawSegments: number('raw_segments'),
      counts: row ? (JSON.parse(row.counts as string) as number[]) : new Array<number>(15).fill(0),
      streams: new Map(
        selectStreams.all(taskId).map(stream => [stream.stream_id as string, streamHead(stream)]),
      ),
      changedStreams: new Set(),
    }
  }

  return {
    get(taskId: string): TaskLog {
      let log = kept.get(taskId)
      if (!log) {
        log = read(taskId)
        kept.set(taskId, log)
      }
      return log
    },
    /** Marks it to be written with the transaction. */
    change(log: TaskLog, streamId?: string): void {
      changed.add(log)
      if (streamId !== undefined) log.changedStreams.add(streamId)
    },
    write(): void {
      for (const log of changed) {
        const { taskId, lastSeq, firstSeq, lines, textBytes, storedBytes, rawSegments, counts } = log
        putLog.run(
          taskId,
          lastSeq,
          firstSeq,
          lines,
          textBytes,
          storedBytes,
          rawSegments,
          JSON.stringify(counts),
        )
        for (const streamId of log.changedStreams) {
          const { n, endN } = log.streams.get(streamId)!
          putStream.run(taskId, streamId, n, endN ?? null)
        }
        log.changedStreams.clear()
      }
      changed.clear()
      if (kept.size > KEPT) kept.clear()
    },
    /** After a rollback the memory is wrong. */
    forget(): void {
      kept.clear()
      changed.clear()
    },
  }
}

/** Adds a segment's figures to the sums, or takes them away. */
export function addTotals(
  log: TaskLog,
  summary: SegmentSummary,
  storedBytes: number,
  codec: string,
  sign: 1 | -1,
): void {
  log.lines += sign * summary.count
  log.textBytes += sign * summary.textBytes
  log.storedBytes += sign * storedBytes
  if (codec === 'raw') log.rawSegments += sign
  for (let at = 0; at < 15; at++) log.counts[at]! += sign * summary.counts[at]!
}

export function headOf(log: TaskLog): TaskHead {
  return { lastSeq: log.lastSeq, streams: log.streams }
}

export function streamHead(row: Record<string, unknown>): StreamHead {
  const n = Number(row.n)
  return row.end_n === null ? { n } : { n, endN: Number(row.end_n) }
}
