import { expect, test } from 'vitest'
import { displayWidth } from './show/text.ts'
import { table } from './table.ts'

const ROWS = [
  { id: 'task-0000000000000000000000000001', status: 'FAILED', name: 'nightly build of everything there is' },
  { id: 'task-2', status: 'PENDING', name: '夜間ビルド：すべてのモジュール' },
  { id: 'task-3', status: 'COMPLETED', name: '👩‍💻 café 🚀' },
]
const COLUMNS = ['id', 'status', 'name']
const lines = (width: number | undefined) => table(ROWS, COLUMNS, width).split('\n')

test('columns stand below one another, wide characters or not', () => {
  expect(lines(120)).toEqual([
    'ID                                 STATUS     NAME',
    'task-0000000000000000000000000001  FAILED     nightly build of everything there is',
    'task-2                             PENDING    夜間ビルド：すべてのモジュール',
    'task-3                             COMPLETED  👩‍💻 café 🚀',
  ])
})

test.each([40, 60, 72, 80])('in %i columns no line is wider, and what is cut says so', width => {
  for (const line of lines(width)) expect(displayWidth(line)).toBeLessThanOrEqual(width)
  expect(lines(width)[1]).toMatch(/…$/)
})

test('the first column, by which a row is known, is cut last', () => {
  expect(lines(60)[1]).toContain(ROWS[0]!.id)
  expect(lines(36)[1]).toContain('…')
})

test('columns that can be spared go before an id or a status is cut', () => {
  const rows = ['a', 'b'].map(end => ({
    id: `01a1fdc0-508c-7793-bc1e-1046c84f89a${end}`,
    status: 'COMPLETED',
    lines: '12',
    age: '4m',
    name: 'nightly build',
  }))
  const at = (width: number | undefined) =>
    table(rows, ['id', 'status', 'lines', 'age', 'name'], width, undefined, ['lines', 'age']).split('\n')
  expect(at(78)[0]).toMatch(/ID +STATUS +LINES +AGE +NAME/)
  expect(at(70)[0]).toMatch(/ID +STATUS +AGE +NAME/)
  expect(at(62)[0]).toMatch(/ID +STATUS +NAME/)
  for (const row of at(62).slice(1))
    expect(row).toMatch(/^01a1fdc0-508c-7793-bc1e-1046c84f89a[ab] {2}COMPLETED/)
  expect(at(undefined)[0]).toBe('ID\tSTATUS\tLINES\tAGE\tNAME')
})

test('a pipe gets whole cells between tabs, whatever they hold', () => {
  const hostile = [{ id: 'x', status: 'a\tb\nc', name: '\u001b[2J\u001b[31mred' }]
  expect(table(hostile, COLUMNS, undefined)).toBe('ID\tSTATUS\tNAME\nx\ta b c\tred')
  expect(lines(undefined)[2]).toBe('task-2\tPENDING\t夜間ビルド：すべてのモジュール')
})

test('colours do not count as width, and the heading has none', () => {
  const painted = table(ROWS, COLUMNS, 120, (column, value, cell) =>
    column === 'status' ? `<${value}>${cell}</>` : cell,
  ).split('\n')
  expect(painted[0]).toBe(lines(120)[0])
  expect(painted[2]).toContain('<PENDING>PENDING  </>  夜間')
})
