import { isUtf8 } from 'node:buffer'
import { KerutaError } from '#protocol/errors.ts'
import type { NewEntry } from '#protocol/log.ts'
import type { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentError } from '#protocol/segment-layout.ts'
import type { SegmentStore } from '#server/store/store.ts'
import { checkEntry } from './check-entry.ts'
import { segmentsOf } from './entries-to-segments.ts'
import { StreamError, TaskAppender } from './task-appender.ts'

/** The one way in for lines: whatever a client speaks, it ends here. Methods resolve after the commit, in the order of the calls. */
export interface Ingest {
  /**
   * Lines of an agent's stream as one segment. What is already stored of it is ignored.
   * @param firstN number of its first line within the stream, from 1
   * @returns the highest stored line of the stream
   * @throws KerutaError BAD_SEGMENT; OUT_OF_ORDER with `n` in a StreamError where lines before it are missing
   */
  appendSegment(taskId: string, streamId: string, firstN: number, bytes: Uint8Array): Promise<number>
  /** Entries numbered within a stream, like `appendSegment`. */
  appendNumbered(taskId: string, streamId: string, firstN: number, entries: NewEntry[]): Promise<number>
  /** Entries that nobody numbered: each call stores them anew. */
  appendEntries(
    taskId: string,
    entries: NewEntry[],
  ): Promise<{ firstSeq: number; lastSeq: number; accepted: number }>
  /** Highest stored line of a stream; 0 for an unknown one. */
  streamHead(taskId: string, streamId: string): Promise<number>
  /** Records a stream's end once all its `n` lines are stored. @throws StreamError OUT_OF_ORDER where some are missing */
  endStream(taskId: string, streamId: string, n: number): Promise<void>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export interface IngestOptions {
  segments: SegmentStore
  /** Called once a task's first lines arrive: creates a task that nobody has announced. */
  ensureTask(taskId: string): Promise<void>
  /** Called after each commit, in order. */
  publish(taskId: string, firstSeq: number, segment: Segment): void
  onCommit(lines: number, bytes: number, seconds: number): void
  now: () => number
}

/**
 * As many logs are remembered that nobody writes to just now: a sender that waits for its acknowledgements leaves such a gap after each
 * of them. What is remembered may be old; the store says so when lines come.
 */
const KEPT_IDLE = 1000

export function createIngest(options: IngestOptions): Ingest {
  const appenders = new Map<string, TaskAppender>()
  const idle = new Set<string>()

  const appenderOf = (taskId: string): TaskAppender => {
    idle.delete(taskId)
    let appender = appenders.get(taskId)
    if (!appender) {
      appender = new TaskAppender(taskId, options, () => forgetSome(taskId))
      appenders.set(taskId, appender)
    }
    return appender
  }

  function forgetSome(nowIdle: string): void {
    idle.add(nowIdle)
    for (const taskId of idle) {
      if (idle.size <= KEPT_IDLE) break
      idle.delete(taskId)
      appenders.delete(taskId)
    }
  }

  /** After what is under way now. */
  async function streamHead(taskId: string, streamId: string): Promise<number> {
    await appenders.get(taskId)?.settled
    return (await options.segments.head(taskId)).streams.get(streamId)?.n ?? 0
  }

  return {
    async appendSegment(taskId, streamId, firstN, bytes) {
      const { segment, summary } = checked(bytes)
      return (await appenderOf(taskId).add({ segment, summary, stream: { streamId, firstN } })).n
    },
    async appendNumbered(taskId, streamId, firstN, entries) {
      entries.forEach(checkEntry)
      let at = firstN
      const parts = segmentsOf(entries, options.now()).map(({ segment, summary }) => {
        const part = { segment, summary, stream: { streamId, firstN: at } }
        at += summary.count
        return part
      })
      const results = await Promise.all(parts.map(part => appenderOf(taskId).add(part)))
      return results.at(-1)!.n
    },
    async appendEntries(taskId, entries) {
      entries.forEach(checkEntry)
      if (entries.length === 0)
        return { firstSeq: 0, lastSeq: (await options.segments.head(taskId)).lastSeq, accepted: 0 }
      const results = await Promise.all(
        segmentsOf(entries, options.now()).map(part => appenderOf(taskId).add(part)),
      )
      return { firstSeq: results[0]!.firstSeq, lastSeq: results.at(-1)!.lastSeq, accepted: entries.length }
    },
    streamHead,
    async endStream(taskId, streamId, n) {
      const stored = await streamHead(taskId, streamId)
      if (stored < n)
        throw new StreamError(stored, `stream ${streamId} has ${stored} of ${n} lines here: send the rest`)
      await options.ensureTask(taskId)
      await options.segments.endStream(taskId, streamId, n)
    },
    async idle() {
      await Promise.all([...appenders.values()].map(appender => appender.idle()))
    },
  }
}

function checked(bytes: Uint8Array) {
  try {
    return checkSegment(bytes, isUtf8)
  } catch (error) {
    if (error instanceof SegmentError) throw new KerutaError('BAD_SEGMENT', error.message, { cause: error })
    throw error
  }
}
