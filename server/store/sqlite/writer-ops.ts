import type { DatabaseSync } from 'node:sqlite'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import type { AppendResult, Codec } from '#server/store/store.ts'
import { headerColumns, toHeader } from './header-row.ts'
import { addTotals, createTaskLogs, headOf, type TaskLog } from './task-log.ts'
import type { RemoveStep, WriterOp } from './writer-messages.ts'

/** A step of a removal ends after so many bytes of bodies or segments, some milliseconds. */
const STEP_BYTES = 4 * 1024 * 1024
const STEP_SEGMENTS = 500

/** Takes the next body of the batch. */
export type NextBody = (size: number) => Uint8Array

/** Carries out ops within the transaction that the caller holds. */
export function createWriterOps(db: DatabaseSync) {
  const logs = createTaskLogs(db)
  const insertBody = db.prepare('INSERT INTO body (bytes) VALUES (?)')
  const insertSegment = db.prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const selectOne = db.prepare(
    `SELECT ${headerColumns}, body_id FROM segment WHERE task_id = ? AND first_seq = ?`,
  )
  const selectOldest = db.prepare(
    `SELECT ${headerColumns}, body_id FROM segment WHERE task_id = ? AND first_seq + count <= ? ORDER BY first_seq LIMIT ?`,
  )
  const selectFirstSeq = db.prepare('SELECT min(first_seq) AS seq FROM segment WHERE task_id = ?')
  const deleteSegment = db.prepare('DELETE FROM segment WHERE task_id = ? AND first_seq = ?')
  const deleteBody = db.prepare('DELETE FROM body WHERE id = ?')

  function insert(
    log: TaskLog,
    firstSeq: number,
    summary: SegmentSummary,
    codec: Codec,
    body: Uint8Array,
  ): void {
    const { count, minAt, maxAt, textBytes, counts } = summary
    const bodyId = insertBody.run(body).lastInsertRowid
    const text = JSON.stringify(counts)
    insertSegment.run(log.taskId, firstSeq, count, minAt, maxAt, textBytes, body.length, codec, text, bodyId)
    addTotals(log, summary, body.length, codec, 1)
  }

  function erase(log: TaskLog, row: Record<string, unknown>): void {
    const header = toHeader(row)
    deleteSegment.run(log.taskId, header.firstSeq)
    deleteBody.run(Number(row.body_id))
    addTotals(log, header, header.storedBytes, header.codec, -1)
  }

  function changeAfterErasing(log: TaskLog): void {
    log.firstSeq = Number(selectFirstSeq.get(log.taskId)!.seq ?? 0)
    logs.change(log)
  }

  function append(
    { taskId, expectedNextSeq, segments }: WriterOp & { kind: 'append' },
    next: NextBody,
  ): AppendResult {
    const log = logs.get(taskId)
    if (log.lastSeq + 1 !== expectedNextSeq) {
      for (const { size } of segments) next(size)
      return { ok: false, appended: 0, head: headOf(log) }
    }
    for (const { summary, stream, size } of segments) {
      insert(log, log.lastSeq + 1, summary, 'raw', next(size))
      if (log.firstSeq === 0) log.firstSeq = log.lastSeq + 1
      log.lastSeq += summary.count
      if (stream) {
        log.streams.set(stream.streamId, { ...log.streams.get(stream.streamId), n: stream.lastN })
        logs.change(log, stream.streamId)
      }
    }
    logs.change(log)
    return { ok: true, firstSeq: expectedNextSeq }
  }

  function endStream({ taskId, streamId, endN }: WriterOp & { kind: 'endStream' }): void {
    const log = logs.get(taskId)
    log.streams.set(streamId, { n: log.streams.get(streamId)?.n ?? 0, endN })
    logs.change(log, streamId)
  }

  function replace({ taskId, old, merged }: WriterOp & { kind: 'replace' }, next: NextBody): boolean {
    const log = logs.get(taskId)
    const rows = old.map(({ firstSeq }) => selectOne.get(taskId, firstSeq))
    const bodies = merged.map(({ size }) => next(size))
    if (!rows.every((row, index) => row?.count === old[index]!.count)) return false
    for (const row of rows) erase(log, row!)
    for (const [index, { firstSeq, summary, codec }] of merged.entries())
      insert(log, firstSeq, summary, codec, bodies[index]!)
    changeAfterErasing(log)
    return true
  }

  function place({ taskId, placed }: WriterOp & { kind: 'place' }, next: NextBody): void {
    const log = logs.get(taskId)
    for (const { firstSeq, summary, codec, size } of placed) {
      const body = next(size)
      if (selectOne.get(taskId, firstSeq)) continue
      insert(log, firstSeq, summary, codec, body)
      log.lastSeq = Math.max(log.lastSeq, firstSeq + summary.count - 1)
      if (log.firstSeq === 0 || firstSeq < log.firstSeq) log.firstSeq = firstSeq
    }
    logs.change(log)
  }

  function raiseHead({ taskId, head }: WriterOp & { kind: 'raiseHead' }): void {
    const log = logs.get(taskId)
    log.lastSeq = Math.max(log.lastSeq, head.lastSeq)
    logs.change(log)
    for (const [streamId, { n, endN }] of head.streams) {
      const known = log.streams.get(streamId)
      log.streams.set(streamId, { n: Math.max(n, known?.n ?? 0), endN: endN ?? known?.endN })
      logs.change(log, streamId)
    }
  }

  function remove({ taskId, beforeSeq }: WriterOp & { kind: 'remove' }): RemoveStep {
    const log = logs.get(taskId)
    const rows = selectOldest.all(taskId, beforeSeq, STEP_SEGMENTS)
    let lines = 0
    let bytes = 0
    let erased = 0
    for (; erased < rows.length && bytes < STEP_BYTES; erased++) {
      const row = rows[erased]!
      erase(log, row)
      lines += Number(row.count)
      bytes += Number(row.stored_bytes)
    }
    if (erased > 0) changeAfterErasing(log)
    return { lines, done: erased === rows.length && rows.length < STEP_SEGMENTS }
  }

  return {
    run(op: WriterOp, next: NextBody): unknown {
      switch (op.kind) {
        case 'append':
          return append(op, next)
        case 'endStream':
          return endStream(op)
        case 'replace':
          return replace(op, next)
        case 'place':
          return place(op, next)
        case 'raiseHead':
          return raiseHead(op)
        case 'remove':
          return remove(op)
        case 'ping':
          return undefined
      }
    },
    /** To be called last in a transaction. */
    writeTotals: () => logs.write(),
    forget: () => logs.forget(),
  }
}
