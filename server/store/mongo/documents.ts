import { Binary, type Collection, type Db } from 'mongodb'
import { KerutaError } from '#protocol/errors.ts'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import type { Codec, SegmentHeader } from '#server/store/store.ts'

/**
 * One document a segment. Its `_id` is task and first seq, and that this is unique is the order of a log and its exactly-once.
 * What is deleted or merged leaves its `_id` behind for an hour (`goneAt`), so that nobody who has not heard of it takes the place again.
 */
export interface SegmentDocument {
  _id: string
  taskId: string
  firstSeq: number
  lastSeq: number
  count: number
  minAt: number
  maxAt: number
  textBytes: number
  storedBytes: number
  codec: Codec
  body: Binary
  /** Where a stream sent it. */
  streamId?: string
  lastN?: number
  goneAt?: Date
  /** Lines by `source * 5 + level`, c0 … c14: numbers of their own, because an index with a list cannot answer alone. */
  [count: `c${number}`]: number
}

/**
 * A task's head stands before its segments, as number 0, so that one statement finds both. `lastSeq` says up to where `streams`
 * holds what the segments said; it only ever rises.
 */
export interface HeadDocument {
  _id: string
  taskId: string
  firstSeq: 0
  lastSeq: number
  count: 0
  /** Segments may overlap: they are being replaced, or were when that server died. */
  busy?: 1
  lockOwner?: string
  lockUntil?: Date
}

/** What a stream has sent, up to its task's head. */
export interface StreamDocument {
  _id: string
  taskId: string
  streamId: string
  n?: number
  endN?: number
}

export interface LogCollections {
  segments: Collection<SegmentDocument>
  heads: Collection<HeadDocument>
  streams: Collection<StreamDocument>
}

export function logCollections(db: Db): LogCollections {
  return {
    segments: db.collection('segments'),
    heads: db.collection('segments'),
    streams: db.collection('streams'),
  }
}

export const COUNTS = Array.from({ length: 15 }, (_, at) => `c${at}` as const)

/** All that a header holds, in the order of the index that answers without the documents. */
export const HEADER_FIELDS = [
  'taskId',
  'firstSeq',
  'lastSeq',
  'count',
  'minAt',
  'maxAt',
  'textBytes',
  'storedBytes',
  'codec',
  'busy',
  ...COUNTS,
] as const
export const HEADER_INDEX = 'header'
export const RECENT_INDEX = 'recent'

export const headerProjection = { _id: 0, ...Object.fromEntries(HEADER_FIELDS.map(field => [field, 1])) }

export function segmentId(taskId: string, firstSeq: number): string {
  return `${taskId}/${firstSeq}`
}

export const headId = (taskId: string) => segmentId(taskId, 0)

export type StoredFields = Omit<SegmentDocument, '_id' | 'goneAt'>

/** Far below what a document may have; a checked segment is never so large. */
const LARGEST_BODY = 15 * 1024 * 1024

export function segmentFields(
  taskId: string,
  firstSeq: number,
  summary: SegmentSummary,
  codec: Codec,
  body: Uint8Array,
): StoredFields {
  if (body.length > LARGEST_BODY)
    throw new KerutaError(
      'TOO_LARGE',
      `a segment of ${body.length} bytes does not fit into a document: split it`,
    )
  const { count, minAt, maxAt, textBytes, counts } = summary
  const fields: StoredFields = {
    taskId,
    firstSeq,
    lastSeq: firstSeq + count - 1,
    count,
    minAt,
    maxAt,
    textBytes,
    storedBytes: body.length,
    codec,
    body: new Binary(body),
  }
  for (const [at, name] of COUNTS.entries()) fields[name] = counts[at]!
  return fields
}

export function toHeader(document: SegmentDocument): SegmentHeader {
  const { taskId, firstSeq, count, minAt, maxAt, textBytes, storedBytes, codec } = document
  const counts = COUNTS.map(name => document[name]!)
  return { taskId, firstSeq, count, minAt, maxAt, textBytes, storedBytes, codec, counts }
}
