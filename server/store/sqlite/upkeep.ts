import type { DatabaseSync } from 'node:sqlite'

/** Bytes of bodies, and commits, after which the log is written back into the database. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINT_COMMITS = 500
/** Free pages beyond this are given back to the system: the next lines need some anyway. */
const KEPT_FREE_PAGES = 256
const VACUUM_PAGES = 128

/**
 * Keeps the files small, in steps between transactions and never before an acknowledgement.
 * @param db the writer's connection
 */
export function createUpkeep(db: DatabaseSync) {
  db.exec(`PRAGMA journal_size_limit = ${4 * CHECKPOINT_BYTES}`)
  const freePages = db.prepare('PRAGMA freelist_count')
  let bytes = 0
  let commits = 0
  let vacuuming: NodeJS.Immediate | undefined

  function checkpoint(): void {
    bytes = commits = 0
    db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  /** Runs when no request waits, one step at a time, so that a request waits for a step at most. */
  function vacuum(): void {
    vacuuming = undefined
    if (Number(freePages.get()!.freelist_count) <= KEPT_FREE_PAGES) return
    db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
    after(VACUUM_PAGES * 16_384)
  }

  /** To be called after a transaction of so many bytes. A failure here is no failure of the transaction: the next call tries again. */
  function after(added: number): void {
    bytes += added
    commits++
    try {
      if (bytes >= CHECKPOINT_BYTES || commits >= CHECKPOINT_COMMITS) checkpoint()
    } catch {
      return
    }
    vacuuming ??= setImmediate(() => {
      try {
        vacuum()
      } catch {
        vacuuming = undefined
      }
    })
  }

  return {
    after,
    stop(): void {
      if (vacuuming) clearImmediate(vacuuming)
    },
  }
}
