import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { KerutaError } from '#protocol/errors.ts'
import { makeFolder } from '#server/make-folder.ts'
import { storeError } from './errors.ts'
import { migrate, newestVersion, refuseForeign } from './migrate.ts'

/** Two files, because two libraries open them, and POSIX locks break where two libraries share one. */
export const entitiesPath = (dataDir: string) => join(dataDir, 'keruta.db')
export const segmentsPath = (dataDir: string) => join(dataDir, 'segments.db')

export const blobsPath = (dataDir: string) => join(dataDir, 'artifacts')

/** Bodies are tens of kilobytes, headers a hundred bytes. */
const SEGMENTS_PAGE_SIZE = 16_384

/** SQLite's code. */
const NOT_A_DATABASE = 26

const entityMigrations = new URL('../../../prisma/migrations/', import.meta.url)
const segmentMigrations = new URL('./migrations/', import.meta.url)

/**
 * Makes the folder, takes it for this process, and migrates its databases.
 * @returns gives the folder free; the system does so too when the process dies
 * @throws KerutaError CONFLICT where another process has it or it is of a newer version; STORE_UNAVAILABLE where it cannot be used
 */
export function takeDataDir(dataDir: string): () => void {
  try {
    makeFolder(dataDir, 0o700)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const message = `the data folder ${dataDir} cannot be written to: give this user access, or choose another`
    throw new KerutaError('STORE_UNAVAILABLE', message, { cause: error })
  }
  const lock = takeLock(dataDir)
  try {
    // Before anything is opened for writing: that alone would change another program's file which has a log beside it.
    for (const path of [entitiesPath(dataDir), segmentsPath(dataDir)])
      if (isThere(path)) reading(path, db => refuseForeign(db, path))
    prepare(entitiesPath(dataDir), entityMigrations, 4096)
    prepare(segmentsPath(dataDir), segmentMigrations, SEGMENTS_PAGE_SIZE)
  } catch (error) {
    lock.close()
    throw storeError(error)
  }
  return () => lock.close()
}

/** Before it is read without being migrated. In a process of its own only: a server in this one would lose its locks on the files. */
export function refuseOtherVersion(dataDir: string): void {
  for (const [path, migrations] of [
    [entitiesPath(dataDir), entityMigrations],
    [segmentsPath(dataDir), segmentMigrations],
  ] as const) {
    if (!isThere(path))
      throw new KerutaError('CONFLICT', `the folder ${dataDir} holds no keruta data: name a data folder`)
    const version = versionOf(path)
    const newest = newestVersion(migrations)
    if (version === newest) continue
    const cure =
      version < newest
        ? 'start this keruta once on it, which brings it up to date'
        : 'use the newer keruta that made it'
    throw new KerutaError(
      'CONFLICT',
      `${path} has version ${version}, this keruta reads version ${newest}: ${cure}`,
    )
  }
}

function versionOf(path: string): number {
  return reading(path, db => {
    refuseForeign(db, path)
    return Number(db.prepare('SELECT max(version) AS version FROM migration').get()!.version)
  })
}

function isThere(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0
}

function reading<T>(path: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    return read(db)
  } catch (error) {
    if ((error as { errcode?: number }).errcode === NOT_A_DATABASE)
      throw new KerutaError('CONFLICT', `${path} is no database: choose another folder`, { cause: error })
    throw storeError(error)
  } finally {
    db.close()
  }
}

/** An open exclusive transaction is a lock that dies with the process. */
function takeLock(dataDir: string): DatabaseSync {
  const lock = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 })
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    const message = `another keruta server uses the data folder ${dataDir}: stop it, or choose another folder`
    throw new KerutaError('CONFLICT', message, { cause: error })
  }
}

function prepare(path: string, migrations: URL, pageSize: number): void {
  const db = new DatabaseSync(path)
  try {
    // These are for a new file, and stay with it.
    if (Number(db.prepare('PRAGMA page_count').get()!.page_count) === 0)
      db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL`)
    migrate(db, migrations, path)
  } finally {
    db.close()
  }
}
