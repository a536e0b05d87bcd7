import type { DatabaseSync } from 'node:sqlite'

/** Bytes of bodies, and commits, after which the write-ahead log is written back into the database. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINT_COMMITS = 500
/** So long without a request, ms, is quiet enough to give space back to the system. */
const QUIET_MS = 200
/** Free pages that stay: the next lines need some anyway. */
const KEPT_FREE_PAGES = 256
const VACUUM_PAGES = 128
const VACUUM_BYTES = VACUUM_PAGES * 16_384

/**
 * Keeps the files small, in steps between transactions and never before an acknowledgement. A failure here is none of a
 * transaction's: the next step tries again.
 * @param db the writer's connection
 */
export function createUpkeep(db: DatabaseSync) {
  const freePages = db.prepare('PRAGMA freelist_count')
  let bytes = 0
  let commits = 0
  let step: NodeJS.Immediate | undefined
  const quiet = setTimeout(shrink, QUIET_MS)

  function shrink(): void {
    try {
      if (Number(freePages.get()!.freelist_count) <= KEPT_FREE_PAGES) {
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
        return
      }
      db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
      count(VACUUM_BYTES)
    } catch {
      return
    }
    step = setImmediate(shrink)
  }

  function count(added: number): void {
    bytes += added
    commits++
    if (bytes < CHECKPOINT_BYTES && commits < CHECKPOINT_COMMITS) return
    bytes = commits = 0
    db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  return {
    /** To be called after the acknowledgements of so many bytes. */
    after(added: number): void {
      if (step) clearImmediate(step)
      quiet.refresh()
      try {
        count(added)
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
