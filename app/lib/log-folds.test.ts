import { expect, test } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import { allBlocks, beginsBlock, endOfBlock, foldRows, withoutFoldsOver } from './log-folds.ts'
import { isGap, type Row } from './log-window.ts'

const entries = (lines: Partial<LogEntry>[]): LogEntry[] =>
  lines.map((line, at) => ({
    id: '',
    taskId: 't',
    seq: at + 1,
    timestamp: '2026-03-01T00:00:00.000Z',
    source: 'stdout',
    level: 'INFO',
    message: '',
    ...line,
  }))
const errors = (...messages: string[]) =>
  messages.map(message => ({ message, level: 'ERROR' as const, source: 'stderr' as const }))
const blocks = (rows: readonly Row[]) =>
  rows.flatMap((row, at) =>
    beginsBlock(rows[at - 1], row, rows[at + 1]) && !isGap(row)
      ? [`${row.seq}-${(rows[endOfBlock(rows, at)] as LogEntry).seq}`]
      : [],
  )

test('lines of one step are a group, and so are those of a step within it', () => {
  const rows = entries([
    { message: 'before' },
    { message: '::group::a', step: 'a' },
    { step: 'a' },
    { message: '::group::b', step: 'a / b' },
    { step: 'a / b' },
    { step: 'a' },
    { message: 'after' },
  ])
  expect(blocks(rows)).toEqual(['2-6', '4-5'])
})

test('two groups of one name that follow each other are two', () => {
  const rows = entries([
    { message: '::group::a', step: 'a' },
    { message: '::endgroup::', step: 'a' },
    { message: '::group::a', step: 'a' },
    { message: '::endgroup::', step: 'a' },
  ])
  expect(blocks(rows)).toEqual(['1-2', '3-4'])
})

test('a stack trace is a block, with its causes', () => {
  const rows = entries([
    { message: 'fine' },
    ...errors('java.lang.IllegalStateException: no', '\tat a.b.C(C.java:1)', 'Caused by: x', '\t... 3 more'),
    { message: 'fine again' },
  ])
  expect(blocks(rows)).toEqual(['2-5'])
})

test("Python's last line belongs to its trace, and what follows does not", () => {
  const rows = entries(
    errors(
      'Traceback (most recent call last):',
      '  File "a.py", line 1',
      '    main()',
      'ValueError: no',
      'exiting',
    ),
  )
  expect(blocks(rows)).toEqual(['1-4'])
})

test('indented lines that are no errors are no block', () => {
  expect(blocks(entries([{ message: 'a:' }, { message: '  b' }, { message: '  c' }]))).toEqual([])
})

test('a folded block leaves its first line, and one within another is hidden with it', () => {
  const rows = entries([{ step: 'a' }, { step: 'a / b' }, { step: 'a / b' }, { step: 'a' }, {}])
  const seqs = (folded: number[]) => foldRows(rows, new Set(folded)).map(row => (row as LogEntry).seq)
  expect(seqs([])).toEqual([1, 2, 3, 4, 5])
  expect(seqs([2])).toEqual([1, 2, 4, 5])
  expect(seqs([1, 2])).toEqual([1, 5])
  expect(seqs([99])).toEqual([1, 2, 3, 4, 5])
  expect([...allBlocks(rows)]).toEqual([1, 2])
})

test('what hides a line is unfolded, and nothing else', () => {
  const rows = entries([{ step: 'a' }, { step: 'a' }, {}, { step: 'b' }, { step: 'b' }])
  expect([...withoutFoldsOver(rows, new Set([1, 4]), 2)]).toEqual([4])
  expect([...withoutFoldsOver(rows, new Set([1, 4]), 1)]).toEqual([1, 4])
})

test('a gap ends a block', () => {
  const [a, b, c] = entries([{ step: 'a' }, { step: 'a' }, { step: 'a' }]) as [LogEntry, LogEntry, LogEntry]
  expect(blocks([a, b, { from: 3, to: 4 }, { ...c, seq: 5 }])).toEqual(['1-2'])
})
