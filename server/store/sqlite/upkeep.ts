import type { DatabaseSync } from 'node:sqlite'

/** Pages of the write-ahead log, 16 MiB, after which it is written back into the database. */
const CHECKPOINT_PAGES = 1024
/** So long without a request, ms, is quiet enough to give space back to the system. */
const QUIET_MS = 200
/** Free pages that stay: the next lines need some anyway. */
const KEPT_FREE_PAGES = 256
const VACUUM_PAGES = 128

/**
 * Keeps the files small, in steps between transactions and never before an acknowledgement. A failure here is none of a
 * transaction's: the next step tries again.
 * @param db the writer's connection
 */
export function createUpkeep(db: DatabaseSync) {
  const freePages = db.prepare('PRAGMA freelist_count')
  const logSize = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  let step: NodeJS.Immediate | undefined
  const quiet = setTimeout(shrink, QUIET_MS)

  function shrink(): void {
    try {
      if (Number(freePages.get()!.freelist_count) <= KEPT_FREE_PAGES) {
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
        return
      }
      db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
      checkpoint()
    } catch {
      return
    }
    step = setImmediate(shrink)
  }

  function checkpoint(): void {
    const { log, checkpointed } = logSize.get()!
    if (Number(log) - Number(checkpointed) >= CHECKPOINT_PAGES) db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  return {
    /** To be called after a transaction's acknowledgements. */
    afterCommit(): void {
      if (step) clearImmediate(step)
      quiet.refresh()
      try {
        checkpoint()
      } catch {
        // The log stays longer than it should, and nothing is lost.
      }
    },
    stop(): void {
      clearTimeout(quiet)
      if (step) clearImmediate(step)
    },
  }
}
