import type { AnyBulkWriteOperation } from 'mongodb'
import type { StreamHead, TaskHead } from '#server/store/store.ts'
import {
  type HeadDocument,
  headId,
  type LogCollections,
  type SegmentDocument,
  type StreamDocument,
} from './documents.ts'
import { isDuplicate } from './errors.ts'

/**
 * Where a log stands: what its head and its streams hold, and the segments after that. The streams come first, so that they hold no
 * line of a segment which is not seen; where the head moved meanwhile, segments may be merged or deleted that say what it holds now.
 */
export async function readHead(logs: LogCollections, taskId: string): Promise<TaskHead> {
  const { head } = await readHeadAndTail(logs, taskId)
  return head
}

/** @returns also how many segments the head in the store does not hold yet */
export async function readHeadAndTail(
  { segments, heads, streams }: LogCollections,
  taskId: string,
): Promise<{ head: TaskHead; tail: number }> {
  const _id = headId(taskId)
  const heldSeq = async () => (await heads.findOne({ _id }, { projection: { lastSeq: 1 } }))?.lastSeq ?? 0
  for (let held = await heldSeq(); ; ) {
    const known = await streams.find({ taskId }).toArray()
    const tail = await segments
      .find({ taskId, firstSeq: { $gt: held } }, { projection: TAIL })
      .sort({ taskId: 1, firstSeq: 1 })
      .toArray()
    const heldNow = await heldSeq()
    if (heldNow !== held) {
      held = heldNow
      continue
    }
    return { head: headFrom(held, known, tail), tail: tail.length }
  }
}

/** The same of many tasks, some at once. */
export async function readHeads(logs: LogCollections, taskIds: string[]): Promise<Map<string, TaskHead>> {
  const heads: [string, TaskHead][] = []
  for (let at = 0; at < taskIds.length; at += AT_ONCE)
    heads.push(...(await readSome(logs, taskIds.slice(at, at + AT_ONCE))))
  return new Map(heads)
}

/** Each is a condition of one query. */
const AT_ONCE = 200

/** Those whose head moves meanwhile are looked at one by one. */
async function readSome(logs: LogCollections, taskIds: string[]): Promise<[string, TaskHead][]> {
  const { segments, heads, streams } = logs
  const _id = { $in: taskIds.map(headId) }
  const heldSeqs = async () => {
    const found = await heads.find({ _id }, { projection: { lastSeq: 1 } }).toArray()
    return new Map(found.map(({ _id, lastSeq = 0 }) => [_id, lastSeq]))
  }
  const before = await heldSeqs()
  const held = (taskId: string) => before.get(headId(taskId)) ?? 0
  const known = Map.groupBy(await streams.find({ taskId: { $in: taskIds } }).toArray(), of => of.taskId)
  const after = taskIds.map(taskId => ({ taskId, firstSeq: { $gt: held(taskId) } }))
  const tails = Map.groupBy(
    await segments.find({ $or: after }, { projection: { ...TAIL, taskId: 1 } }).toArray(),
    of => of.taskId,
  )
  const now = await heldSeqs()
  const isSteady = (taskId: string) => (now.get(headId(taskId)) ?? 0) === held(taskId)
  const entries = taskIds.map(
    async (taskId): Promise<[string, TaskHead]> => [
      taskId,
      isSteady(taskId)
        ? headFrom(held(taskId), known.get(taskId) ?? [], tails.get(taskId) ?? [])
        : await readHead(logs, taskId),
    ],
  )
  return Promise.all(entries)
}

const TAIL = { _id: 0, firstSeq: 1, lastSeq: 1, streamId: 1, lastN: 1 } as const

function headFrom(
  held: number,
  streams: Pick<StreamDocument, 'streamId' | 'n' | 'endN'>[],
  tail: Pick<SegmentDocument, 'lastSeq' | 'streamId' | 'lastN'>[],
): TaskHead {
  const head: TaskHead = { lastSeq: held, streams: new Map() }
  for (const { streamId, n = 0, endN } of streams)
    head.streams.set(streamId, endN === undefined ? { n } : { n, endN })
  for (const { lastSeq, streamId, lastN = 0 } of tail) {
    head.lastSeq = Math.max(head.lastSeq, lastSeq)
    if (streamId !== undefined) raise(head.streams, streamId, lastN)
  }
  return head
}

export function raise(streams: Map<string, StreamHead>, streamId: string, n: number): void {
  const known = streams.get(streamId)
  streams.set(streamId, { ...known, n: Math.max(known?.n ?? 0, n) })
}

/**
 * Moves what is held forward: streams first, because `lastSeq` says that they are there. Nothing is ever lowered, so that it does not
 * matter who else does the same, nor where it stops.
 * Every upsert names the task, by which the collections may be sharded.
 * @param streams those that may have lines which are not held yet
 */
export async function holdHead(
  { heads, streams: collection }: LogCollections,
  taskId: string,
  { lastSeq, streams }: TaskHead,
): Promise<void> {
  const changes = [...streams].map(([streamId, { n }]): AnyBulkWriteOperation<StreamDocument> => {
    const update = { $max: { n }, $setOnInsert: { streamId } }
    const filter = { _id: streamDocumentId(taskId, streamId), taskId }
    return { updateOne: { filter, update, upsert: true } }
  })
  if (changes.length > 0) await again(() => collection.bulkWrite(changes, { ordered: false }))
  const newHead: Partial<HeadDocument> = { firstSeq: 0, count: 0 }
  const change = { $max: { lastSeq }, $setOnInsert: newHead }
  await again(() => heads.updateOne({ _id: headId(taskId), taskId }, change, { upsert: true }))
}

export async function holdEnd(
  { streams }: LogCollections,
  taskId: string,
  streamId: string,
  endN: number,
): Promise<void> {
  const change = { $set: { endN }, $max: { n: 0 }, $setOnInsert: { streamId } }
  const filter = { _id: streamDocumentId(taskId, streamId), taskId }
  await again(() => streams.updateOne(filter, change, { upsert: true }))
}

/** Two who make the same document at once: to the second it is there when it looks again. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!isDuplicate(error) || tries === 3) throw error
    }
  }
}

const streamDocumentId = (taskId: string, streamId: string) => `${taskId}/${streamId}`
