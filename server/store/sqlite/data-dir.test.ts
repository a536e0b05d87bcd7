import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { takeDataDir } from './data-dir.ts'

function folder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'keruta-folder-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  return dataDir
}

/** What lies in a folder, but for the locks of SQLite. */
function contentOf(dataDir: string): Record<string, string> {
  const names = readdirSync(dataDir).filter(name => !name.endsWith('-shm') && name !== 'lock.db')
  return Object.fromEntries(names.map(name => [name, readFileSync(join(dataDir, name), 'base64')]))
}

const foreign: [what: string, fill: (path: string) => void][] = [
  ['in a file', path => filled(path, 'CREATE TABLE theirs (a)')],
  ['in a file of views alone', path => filled(path, 'CREATE VIEW theirs AS SELECT 1')],
  ['marked as its own', path => filled(path, 'PRAGMA user_version = 7; PRAGMA application_id = 7')],
  ['that died with a log', died],
  ['that is no database', path => writeFileSync(path, 'notes\n'.repeat(1000))],
]

it.each(
  ['keruta.db', 'segments.db'].flatMap(name => foreign.map(([what, fill]) => [name, what, fill] as const)),
)('%s of another program, %s, is refused, and no byte beside it is changed', (name, _, fill) => {
  const dataDir = folder()
  fill(join(dataDir, name))
  const before = contentOf(dataDir)
  expect(() => takeDataDir(dataDir)).toThrow(
    new RegExp(
      `${join(dataDir, name)} is (the database of another program|no database): choose another folder`,
    ),
  )
  expect(contentOf(dataDir)).toEqual(before)
})

it('an empty file is taken, as one that a start left that was killed', () => {
  const dataDir = folder()
  writeFileSync(join(dataDir, 'keruta.db'), '')
  takeDataDir(dataDir)()
  expect(readdirSync(dataDir)).toContain('segments.db')
  takeDataDir(dataDir)()
})

function filled(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

/** Leaves everything in the write-ahead log. */
function died(path: string): void {
  const aside = `${path}-aside`
  const db = new DatabaseSync(aside)
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)')
  for (const end of ['', '-wal']) writeFileSync(path + end, readFileSync(aside + end))
  db.close()
  rmSync(aside)
}
