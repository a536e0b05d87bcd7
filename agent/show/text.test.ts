import { expect, test } from 'vitest'
import { count, displayWidth, fitted, oneLine } from './text.ts'
import { age, ago, duration } from './when.ts'

test.each([
  ['plain', 5],
  ['日本語', 6],
  ['ﾊﾝｶｸ', 4],
  ['한국어', 6],
  ['cafe\u0301', 4],
  ['👩‍💻🚀', 4],
  ['❤️', 2],
  ['→ … ✓', 5],
  ['', 0],
])('%s takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns)
})

test('a text is cut between characters, never within one, and takes its columns in any case', () => {
  expect(fitted('日本語', 5)).toBe('日本…')
  expect(fitted('日本語', 4)).toBe('日… ')
  expect(fitted('👩‍💻👩‍💻👩‍💻', 4)).toBe('👩‍💻… ')
  expect(fitted('ab', 4)).toBe('ab  ')
  for (const columns of [1, 2, 3, 4, 5, 6, 7])
    expect(displayWidth(fitted('日本語 abc', columns))).toBe(columns)
})

test('what a stranger named stays within its line', () => {
  expect(oneLine(' a\n\tb\u001b[2J\u001b]0;evil\u0007\r\nc ')).toBe('a b c')
})

test('numbers are said as people say them', () => {
  expect([count(0, 'line'), count(1, 'line'), count(2, 'line')]).toEqual(['0 lines', '1 line', '2 lines'])
  expect([5, 119, 120, 7200, 172_800].map(seconds => age(seconds * 1000))).toEqual([
    '5s',
    '119s',
    '2m',
    '2h',
    '2d',
  ])
  expect([350, 12_340, 245_000, 7_380_000].map(duration)).toEqual([
    '350 ms',
    '12.3 s',
    '4 min 5 s',
    '2 h 3 min',
  ])
  const now = Date.parse('2026-01-01T00:05:00Z')
  expect(ago('2026-01-01T00:00:00Z', now)).toBe('5m ago (2026-01-01T00:00:00Z)')
  expect(ago('2026-01-01T00:05:30Z', now)).toBe('in 30s (2026-01-01T00:05:30Z)')
})
