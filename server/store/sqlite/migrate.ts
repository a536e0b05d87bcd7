import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { KerutaError } from '#protocol/errors.ts'

/**
 * Brings a database to the newest version: files `0001_name.sql`, each applied once, in a transaction of its own.
 * @param folder where the files lie
 * @param path of the database, for messages
 * @throws KerutaError CONFLICT where the database is newer than the files, or another program's
 */
export function migrate(db: DatabaseSync, folder: URL, path: string, now: () => number = Date.now): void {
  refuseForeign(db, path)
  db.exec(
    'CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)',
  )
  const current = Number(
    db.prepare('SELECT coalesce(max(version), 0) AS version FROM migration').get()!.version,
  )
  const known = migrationsIn(folder)
  if (current > known.length) {
    throw new KerutaError(
      'CONFLICT',
      `${path} has version ${current}, made by a newer keruta; this one knows up to version ${known.length}. ` +
        'Start the newer keruta, or choose another folder.',
    )
  }
  for (const [index, name] of known.entries()) {
    if (index < current) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(readFileSync(new URL(name, folder), 'utf8'))
      db.prepare('INSERT INTO migration VALUES (?, ?, ?)').run(index + 1, name, new Date(now()).toISOString())
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }
}

/** @throws KerutaError CONFLICT where the database holds or is marked with anything, and has no note of migrations beside it */
export function refuseForeign(db: DatabaseSync, path: string): void {
  const names = db.prepare('SELECT name FROM sqlite_schema').all()
  if (names.some(({ name }) => name === 'migration')) return
  const marks = ['user_version', 'application_id'].map(mark => db.prepare(`PRAGMA ${mark}`).get()![mark])
  if (names.length === 0 && marks.every(mark => mark === 0)) return
  throw new KerutaError('CONFLICT', `${path} is the database of another program: choose another folder`)
}

/** What a database has when all of these are applied. */
export function newestVersion(folder: URL): number {
  return migrationsIn(folder).length
}

function migrationsIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter(name => /^\d{4}_\w+\.sql$/.test(name))
    .sort()
}
