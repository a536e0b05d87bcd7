import { setTimeout as pause } from 'node:timers/promises'
import { KerutaError } from '#protocol/errors.ts'
import type { StoreLocation } from '#server/store/open.ts'
import type { SegmentStore } from '#server/store/store.ts'
import { CompactThread } from './compact-thread.ts'

/** Uncompressed segments of a task that is still written to may pile up to this many. */
const PILE = 64
const TASKS_AT_ONCE = 100
/** At the start, and once in so many looks, every uncompressed segment counts: late lines, and what a crash left over. */
const SWEEP_EVERY = 60

export interface CompactorOptions {
  store: SegmentStore
  location: StoreLocation
  logger: { warn(details: object, message: string): void }
  /** How often to look for piles, ms. */
  intervalMs?: number
}

export interface Compactor {
  /** All that is stored of the task by now is merged soon. */
  taskEnded(taskId: string): void
  close(): Promise<void>
}

/**
 * Merges small neighbours into compressed segments, in a thread of its own and in small steps with as much rest as work, so that
 * nobody waits for it.
 */
export function startCompactor({ store, location, logger, intervalMs = 5000 }: CompactorOptions): Compactor {
  const thread = new CompactThread(location)
  const waiting = new Set<string>()
  const broken = new Set<string>()
  const closing = new AbortController()
  let working: Promise<void> | undefined
  let looks = 0

  function add(taskIds: string[]): void {
    if (closing.signal.aborted) return
    for (const taskId of taskIds) if (!broken.has(taskId)) waiting.add(taskId)
    if (waiting.size > 0) working ??= work()
  }

  async function work(): Promise<void> {
    for (const taskId of waiting) {
      waiting.delete(taskId)
      try {
        await compact(taskId)
      } catch (err) {
        if (closing.signal.aborted) break
        // A store that is away or full for a while is no fault of the log.
        if (!(err instanceof KerutaError)) broken.add(taskId)
        logger.warn({ err, taskId }, 'a log could not be compacted now')
      }
    }
    await thread.stop()
    working = undefined
    add([])
  }

  async function compact(taskId: string): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const startedAt = performance.now()
      const step = await thread.ask({ taskId, after })
      // Another server is at it, and will be at the next step, too: the work would be done twice.
      if (step.old.length > 0 && !(await store.replace(taskId, step.old, step.merged))) return
      after = step.after
      await pause(performance.now() - startedAt, undefined, closing)
    }
  }

  async function look(): Promise<void> {
    const least = looks++ % SWEEP_EVERY === 0 ? 1 : PILE
    try {
      add(await store.fragmented(least, TASKS_AT_ONCE))
    } catch (err) {
      if (!closing.signal.aborted) logger.warn({ err }, 'the store could not be asked for logs to compact')
    }
  }

  void look()
  const looking = setInterval(look, intervalMs)
  return {
    taskEnded: taskId => add([taskId]),
    async close() {
      clearInterval(looking)
      closing.abort()
      await Promise.all([working, thread.stop()])
    },
  }
}
