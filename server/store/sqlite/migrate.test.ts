import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { Prisma } from './generated/client.ts'
import { migrate } from './migrate.ts'

const migrations = new URL('../../../prisma/migrations/', import.meta.url)
const schema = readFileSync(new URL('../../../prisma/schema.prisma', import.meta.url), 'utf8')
const SQL_TYPES: Record<string, string> = {
  String: 'TEXT',
  Int: 'INTEGER',
  Float: 'REAL',
  Boolean: 'BOOLEAN',
}

/** A model's fields as SQLite would describe their columns. */
function fieldsOf(model: string) {
  const [, body = ''] = schema.match(new RegExp(`model ${model} \\{(.*?)\\n\\}`, 's')) ?? []
  return [...body.matchAll(/^ {2}(\w+) +(\w+)(\??)(?: +(@id))?$/gm)].map(
    ([, name, type = '', optional, id]) => ({
      name,
      type: SQL_TYPES[type],
      notnull: optional ? 0 : 1,
      pk: id ? 1 : 0,
    }),
  )
}

/** `[createdAt(sort: Desc), id]` as `createdAt desc, id`. */
function indexesOf(model: string): string[] {
  const [, body = ''] = schema.match(new RegExp(`model ${model} \\{(.*?)\\n\\}`, 's')) ?? []
  return [...body.matchAll(/@@index\(\[(.*)\]\)/g)]
    .map(([, fields = '']) => fields.replaceAll('(sort: Desc)', ' desc'))
    .sort()
}

it('the migrated database has the columns and indexes of the schema', () => {
  const db = new DatabaseSync(':memory:')
  migrate(db, migrations, 'memory')
  const models = Object.values(Prisma.ModelName)
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migration'")
    .all()
  expect(tables.map(({ name }) => name).sort()).toEqual([...models].sort())
  for (const model of models) {
    const columns = db.prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)').all(model)
    expect(columns.map(column => ({ ...column }))).toEqual(fieldsOf(model))
    const indexes = db.prepare("SELECT name FROM pragma_index_list(?) WHERE origin = 'c'").all(model)
    const columnsOf = db.prepare('SELECT name, "desc" FROM pragma_index_xinfo(?) WHERE key = 1')
    const described = indexes.map(({ name }) =>
      columnsOf
        .all(name!)
        .map(column => `${column.name}${column.desc ? ' desc' : ''}`)
        .join(', '),
    )
    expect(described.sort()).toEqual(indexesOf(model))
  }
  db.close()
})

it('a migration is applied once, and recorded', () => {
  const db = new DatabaseSync(':memory:')
  migrate(db, migrations, 'memory', () => 0)
  migrate(db, migrations, 'memory', () => 1)
  const [first] = db.prepare('SELECT * FROM migration').all()
  expect({ ...first }).toEqual({ version: 1, name: '0001_init.sql', applied_at: '1970-01-01T00:00:00.000Z' })
  db.close()
})

it('the database of another program is left as it is', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE theirs (a)')
  expect(() => migrate(db, migrations, 'theirs.db')).toThrow(/theirs\.db is the database of another program/)
  expect(db.prepare('SELECT name FROM sqlite_schema').all()).toMatchObject([{ name: 'theirs' }])
})
