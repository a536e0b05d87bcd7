import type { LogEntry } from '#protocol/log.ts'
import type { LogFilter } from '#protocol/log-filter.ts'
import { Segment } from '#protocol/segment.ts'
import type { LogQueries } from '#server/logs/queries.ts'
import { LogBatch } from './log-batch.ts'

/** What follows a seq in the store: whole batches where everything is wanted, else the matching entries. */
export interface StoredPart {
  /** The asker's own, to take from. */
  batches: LogBatch[]
  entries: LogEntry[]
  /** Everything up to here has been looked at. */
  cursor: number
  /** Head of the log when it was read. */
  lastSeq: number
}

const MOST_KEPT = 4
const KEPT_MS = 1000

/**
 * What readers read from the store to catch up. Many that fell behind at once, in a burst of lines, stand at one place: parts are kept
 * for a moment, so that they are read, and their JSON is made, once for all of them.
 */
export class StoredReads {
  readonly #queries: Pick<LogQueries, 'read'>
  readonly #kept = new Map<string, Promise<StoredPart>>()

  constructor(queries: Pick<LogQueries, 'read'>) {
    this.#queries = queries
  }

  /** @param shared whether others may want the same part: unfiltered, and read by several */
  read(taskId: string, filter: LogFilter, after: number, shared: boolean): Promise<StoredPart> {
    if (!shared) return this.#read(taskId, filter, after)
    const key = `${after} ${taskId}`
    const known = this.#kept.get(key)
    if (known) return known.then(ownCopy)
    const part = this.#read(taskId, filter, after)
    this.#kept.set(key, part)
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!)
    const forget = () => {
      if (this.#kept.get(key) === part) this.#kept.delete(key)
    }
    part.then(({ cursor, lastSeq }) => {
      // At the head more may follow at any time.
      if (cursor === lastSeq) forget()
      else setTimeout(forget, KEPT_MS).unref()
    }, forget)
    return part.then(ownCopy)
  }

  async #read(taskId: string, filter: LogFilter, after: number): Promise<StoredPart> {
    const { segments = [], entries = [], cursor, lastSeq } = await this.#queries.read(taskId, filter, after)
    const batches = segments.flatMap(({ firstSeq, bytes }) =>
      LogBatch.split(taskId, firstSeq, new Segment(bytes)),
    )
    return { batches, entries, cursor, lastSeq }
  }
}

function ownCopy(part: StoredPart): StoredPart {
  return { ...part, batches: [...part.batches] }
}
