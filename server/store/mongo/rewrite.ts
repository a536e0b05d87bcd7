import type { AnyBulkWriteOperation } from 'mongodb'
import type { PlacedSegment, SegmentStore } from '#server/store/store.ts'
import {
  COUNTS,
  HEADER_INDEX,
  type LogCollections,
  type SegmentDocument,
  segmentFields,
  segmentId,
} from './documents.ts'
import { isDuplicate } from './errors.ts'
import { holdHead, readHeadAndTail } from './head.ts'
import type { Held, TaskLock } from './task-lock.ts'
import { tile } from './tiles.ts'

/** A step of a removal or repair takes so many segments. */
const STEP_SEGMENTS = 500
/** So many are erased by one statement: whoever appends meanwhile waits for no more. */
const ERASE_SEGMENTS = 50

export interface Rewrite {
  replace: SegmentStore['replace']
  place: SegmentStore['place']
  /** Deletes segments whose last seq is below; the caller knows that no later lines come below it. */
  remove(taskId: string, beforeSeq: number): Promise<number>
  /** Tidies what servers that died have left. */
  tidyAll(): Promise<void>
}

/**
 * Changes what is stored already, without a transaction: each step leaves a log that is read rightly, also where it is the last.
 * Whoever finds such a log tidies it.
 */
export function createRewrite(logs: LogCollections, lock: TaskLock): Rewrite {
  const { segments } = logs

  /** Only what has not been stored in this place gets in, or what was there before and is gone. */
  function put(
    taskId: string,
    old: Map<number, number>,
    { firstSeq, summary, codec, body }: PlacedSegment,
  ): AnyBulkWriteOperation<SegmentDocument> {
    const _id = segmentId(taskId, firstSeq)
    const update = {
      $set: segmentFields(taskId, firstSeq, summary, codec, body),
      $unset: { goneAt: 1, streamId: 1, lastN: 1 } as const,
    }
    const count = old.get(firstSeq)
    return count === undefined
      ? { updateOne: { filter: { _id, taskId, firstSeq: { $exists: false } }, update, upsert: true } }
      : { updateOne: { filter: { _id, taskId, count }, update } }
  }

  async function replace(...[taskId, old, merged]: Parameters<SegmentStore['replace']>): Promise<boolean> {
    const counts = new Map(old.map(({ firstSeq, count }) => [firstSeq, count]))
    if (!(await areThere(taskId, counts))) return false
    return lock.run(taskId, async held => {
      if (held.leftBusy) await tidy(taskId, held)
      if (!(await areThere(taskId, counts))) return false
      // The streams of what goes must be known from elsewhere then.
      await holdAll(taskId)
      if (merged.length > 0) {
        await held.busy()
        // The last first, so that what begins lower and covers more, or shrinks, comes when the rest is there.
        const puts = [...merged].sort((a, b) => b.firstSeq - a.firstSeq).map(one => put(taskId, counts, one))
        await segments.bulkWrite(puts, { ordered: true })
      }
      const kept = new Set(merged.map(({ firstSeq }) => firstSeq))
      await erase(
        taskId,
        [...counts.keys()].filter(firstSeq => !kept.has(firstSeq)),
      )
      return true
    })
  }

  async function place(taskId: string, placed: PlacedSegment[]): Promise<void> {
    const puts = placed.map(one => put(taskId, new Map(), one))
    try {
      if (puts.length > 0) await segments.bulkWrite(puts, { ordered: false })
    } catch (error) {
      // Those that are there already; all others are in.
      if (!isDuplicate(error)) throw error
    }
  }

  async function holdAll(taskId: string): Promise<void> {
    const { head, tail } = await readHeadAndTail(logs, taskId)
    if (tail > 0) await holdHead(logs, taskId, head)
  }

  async function areThere(taskId: string, counts: Map<number, number>): Promise<boolean> {
    const ids = [...counts.keys()].map(firstSeq => segmentId(taskId, firstSeq))
    const found = await segments
      .find(
        { _id: { $in: ids }, taskId, firstSeq: { $gte: 1 } },
        { projection: { _id: 0, firstSeq: 1, count: 1 } },
      )
      .toArray()
    return (
      found.length === counts.size && found.every(({ firstSeq, count }) => counts.get(firstSeq) === count)
    )
  }

  /** The lowest first: then whatever begins last before a line holds it, as long as anything does. */
  async function erase(taskId: string, firstSeqs: number[]): Promise<void> {
    const rising = [...firstSeqs].sort((a, b) => a - b)
    const erasures = rising.map(
      (firstSeq): AnyBulkWriteOperation<SegmentDocument> => ({
        updateOne: {
          filter: { _id: segmentId(taskId, firstSeq), taskId },
          update: { $unset: gone, $currentDate: { goneAt: true } },
        },
      }),
    )
    for (let at = 0; at < erasures.length; at += ERASE_SEGMENTS)
      await segments.bulkWrite(erasures.slice(at, at + ERASE_SEGMENTS), { ordered: true })
  }

  async function remove(taskId: string, beforeSeq: number): Promise<number> {
    if (beforeSeq <= 1) return 0
    return lock.run(taskId, async held => {
      if (held.leftBusy) await tidy(taskId, held)
      await holdAll(taskId)
      for (let lines = 0; ; ) {
        const oldest = await positions(taskId, 0, STEP_SEGMENTS)
        const old = oldest.filter(one => one.lastSeq < beforeSeq)
        await erase(
          taskId,
          old.map(({ firstSeq }) => firstSeq),
        )
        lines += old.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0)
        if (old.length < STEP_SEGMENTS) return lines
        await held.renew()
      }
    })
  }

  /** Erases what others hold completely: the half of a replacement, or what it had not erased yet. */
  async function tidy(taskId: string, held: Held): Promise<void> {
    const all: Position[] = []
    for (let after = 0; ; after = all.at(-1)!.firstSeq) {
      const more = await positions(taskId, after, STEP_SEGMENTS)
      all.push(...more)
      if (more.length < STEP_SEGMENTS) break
      await held.renew()
    }
    const kept = tile(all, 0)
    const tiles = new Set(kept)
    const spare = all.filter(one => !tiles.has(one) && isCovered(one, kept))
    for (let at = 0; at < spare.length; at += STEP_SEGMENTS) {
      await erase(
        taskId,
        spare.slice(at, at + STEP_SEGMENTS).map(({ firstSeq }) => firstSeq),
      )
      await held.renew()
    }
  }

  const positions = (taskId: string, after: number, limit: number): Promise<Position[]> =>
    segments
      .find(
        { taskId, firstSeq: { $gt: after } },
        { projection: { _id: 0, firstSeq: 1, lastSeq: 1 }, hint: HEADER_INDEX },
      )
      .sort({ taskId: 1, firstSeq: 1 })
      .limit(limit)
      .toArray()

  return {
    replace,
    place,
    remove,
    async tidyAll() {
      const left = { busy: 1 as const, lockUntil: { $lt: new Date() } }
      for (const { taskId } of await logs.heads.find(left, { projection: { taskId: 1 } }).toArray())
        await lock.run(taskId, held => tidy(taskId, held))
    },
  }
}

/** Everything but the place; the shard key `taskId` must stay. */
const gone: Record<string, 1> = {
  firstSeq: 1,
  lastSeq: 1,
  count: 1,
  minAt: 1,
  maxAt: 1,
  textBytes: 1,
  storedBytes: 1,
  codec: 1,
  body: 1,
  streamId: 1,
  lastN: 1,
  ...Object.fromEntries(COUNTS.map(name => [name, 1])),
}

interface Position {
  firstSeq: number
  lastSeq: number
}

function isCovered({ firstSeq, lastSeq }: Position, tiles: Position[]): boolean {
  let seen = firstSeq - 1
  for (const one of tiles) if (one.firstSeq <= seen + 1) seen = Math.max(seen, one.lastSeq)
  return seen >= lastSeq
}
