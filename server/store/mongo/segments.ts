import { setTimeout as pause } from 'node:timers/promises'
import { MongoBulkWriteError } from 'mongodb'
import type { AppendResult, NewSegment, SegmentStore, StreamHead, TaskHead } from '#server/store/store.ts'
import { type LogCollections, type SegmentDocument, segmentFields, segmentId } from './documents.ts'
import { guarded, isDuplicate } from './errors.ts'
import { holdEnd, holdHead, raise, readHeadAndTail } from './head.ts'
import { createReader } from './reader.ts'
import { createRewrite } from './rewrite.ts'
import { TaskLock } from './task-lock.ts'

/** The head in the store is moved forward after so many segments: so many must be read to know where a log stands. */
const HOLD_EVERY = 256
/** As many logs are remembered. */
const KEPT = 5000
/**
 * For so long it need not be asked again where a log stood: whoever appended since then has left its mark, even where it was merged
 * or deleted at once. Far less than the hour for which marks stay.
 */
const TRUSTED_MS = 10 * 60_000
const LOOKS_FOR_WINNER = 50

/** Where a log stood when this server last knew. */
interface Known {
  lastSeq: number
  /** From a monotonic clock, ms. */
  at: number
  /** Segments that the head in the store may not hold, and their streams. */
  segments: number
  streams: Map<string, StreamHead>
}

export type MongoSegmentStore = Omit<SegmentStore, 'close'> & {
  tidyAll(): Promise<void>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createSegmentStore(
  logs: LogCollections,
  monotonic: () => number = () => performance.now(),
): MongoSegmentStore {
  const { replace, place, remove, tidyAll } = createRewrite(logs, new TaskLock(logs))
  const known = new Map<string, Known>()
  const holding = new Set<Promise<void>>()
  const removing = new Map<string, Promise<number>>()

  async function look(taskId: string): Promise<TaskHead> {
    const at = monotonic()
    const { head, tail } = await readHeadAndTail(logs, taskId)
    if (known.size >= KEPT) known.clear()
    const streams = new Map(head.streams)
    known.set(taskId, { lastSeq: head.lastSeq, at, segments: tail, streams })
    return head
  }

  async function append(taskId: string, expectedNextSeq: number, added: NewSegment[]): Promise<AppendResult> {
    // Lines that come after a call to remove are not meant by it.
    await removing.get(taskId)
    const before = known.get(taskId)
    if (before?.lastSeq !== expectedNextSeq - 1 || monotonic() - before.at > TRUSTED_MS) {
      const head = await look(taskId)
      if (head.lastSeq !== expectedNextSeq - 1) return { ok: false, appended: 0, head }
    }
    if (added.length === 0) return { ok: true, firstSeq: expectedNextSeq }
    const at = monotonic()
    const documents = toDocuments(taskId, expectedNextSeq, added)
    try {
      await logs.segments.insertMany(documents, { ordered: true })
    } catch (error) {
      known.delete(taskId)
      if (!(error instanceof MongoBulkWriteError) || !isDuplicate(error)) throw error
      const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
      const appended = errors[0]?.index ?? 0
      const head = await winnersHead(taskId, documents[appended]!.firstSeq)
      return { ok: false, appended, head }
    }
    remember(taskId, documents, at)
    return { ok: true, firstSeq: expectedNextSeq }
  }

  async function removeUpTo(taskId: string, beforeSeq = Number.MAX_SAFE_INTEGER): Promise<number> {
    const looking = look(taskId).then(({ lastSeq }) => lastSeq)
    const looked: Promise<number> = looking
      .catch(() => 0)
      .finally(() => {
        if (removing.get(taskId) === looked) removing.delete(taskId)
      })
    removing.set(taskId, looked)
    return remove(taskId, Math.min(beforeSeq, (await looking) + 1))
  }

  /** What has won may need a moment until a majority has it, and it can be read. */
  async function winnersHead(taskId: string, firstSeq: number): Promise<TaskHead> {
    for (let looks = 1; ; looks++) {
      const head = await look(taskId)
      if (head.lastSeq >= firstSeq || looks === LOOKS_FOR_WINNER) return head
      await pause(looks)
    }
  }

  function remember(taskId: string, documents: SegmentDocument[], at: number): void {
    const log = known.get(taskId)
    // Another call was at it meanwhile: the next one looks for itself.
    if (log?.lastSeq !== documents[0]!.firstSeq - 1) {
      known.delete(taskId)
      return
    }
    log.lastSeq = documents.at(-1)!.lastSeq
    log.at = at
    log.segments += documents.length
    for (const { streamId, lastN = 0 } of documents)
      if (streamId !== undefined) raise(log.streams, streamId, lastN)
    if (log.segments >= HOLD_EVERY) holdInTheBackground(taskId, log)
  }

  function holdInTheBackground(taskId: string, log: Known): void {
    const { lastSeq, streams } = log
    log.segments = 0
    log.streams = new Map()
    const held: Promise<void> = holdHead(logs, taskId, { lastSeq, streams })
      // What is not held is read from the segments; but its streams were forgotten here.
      .catch(() => void known.delete(taskId))
      .finally(() => holding.delete(held))
    holding.add(held)
  }

  return {
    ...createReader(logs),
    append: (taskId, expectedNextSeq, added) => guarded(() => append(taskId, expectedNextSeq, added)),
    endStream: (taskId, streamId, endN) => guarded(() => holdEnd(logs, taskId, streamId, endN)),
    place: (taskId, placed) => guarded(() => place(taskId, placed)),
    raiseHead: (taskId, head) =>
      guarded(async () => {
        // A raised `lastSeq` says that the streams hold all that segments below it say.
        const { head: here, tail } = await readHeadAndTail(logs, taskId)
        if (tail > 0) await holdHead(logs, taskId, here)
        for (const [streamId, { endN }] of head.streams)
          if (endN !== undefined) await holdEnd(logs, taskId, streamId, endN)
        await holdHead(logs, taskId, head)
      }),
    replace: (taskId, old, merged) => guarded(() => replace(taskId, old, merged)),
    remove: (taskId, beforeSeq) => guarded(() => removeUpTo(taskId, beforeSeq)),
    fragmented: (least, limit) => guarded(() => fragmented(logs, least, limit)),
    tidyAll: () => guarded(tidyAll),
    async idle() {
      await Promise.all(holding)
    },
  }
}

function toDocuments(taskId: string, firstSeq: number, added: NewSegment[]): SegmentDocument[] {
  let next = firstSeq
  return added.map(({ summary, body, stream }) => {
    const _id = segmentId(taskId, next)
    const document: SegmentDocument = { _id, ...segmentFields(taskId, next, summary, 'raw', body) }
    if (stream) {
      document.streamId = stream.streamId
      document.lastN = stream.lastN
    }
    next += summary.count
    return document
  })
}

async function fragmented({ segments }: LogCollections, least: number, limit: number): Promise<string[]> {
  const found = await segments
    .aggregate<{ _id: string }>([
      { $match: { codec: 'raw' } },
      { $group: { _id: '$taskId', count: { $sum: 1 } } },
      { $match: { count: { $gte: least } } },
      { $sort: { count: -1 } },
      { $limit: limit },
    ])
    .toArray()
  return found.map(({ _id }) => _id)
}
