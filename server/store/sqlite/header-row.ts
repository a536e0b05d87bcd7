import type { Codec, SegmentHeader } from '#server/store/store.ts'

/** What `toHeader` reads of `segment`. */
export const headerColumns =
  'task_id, first_seq, count, min_at, max_at, text_bytes, stored_bytes, codec, counts'

export function toHeader(row: Record<string, unknown>): SegmentHeader {
  return {
    taskId: row.task_id as string,
    firstSeq: row.first_seq as number,
    count: row.count as number,
    minAt: row.min_at as number,
    maxAt: row.max_at as number,
    textBytes: row.text_bytes as number,
    storedBytes: row.stored_bytes as number,
    codec: row.codec as Codec,
    counts: JSON.parse(row.counts as string) as number[],
  }
}
