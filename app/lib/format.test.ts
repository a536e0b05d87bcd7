import { expect, it } from 'vitest'
import { age, bytes, duration, offset, shortCount } from './format.ts'

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1234, '1.2 s'],
  [59_999, '59 s'],
  [60_000, '1m 00s'],
  [3_599_000, '59m 59s'],
  [7_620_000, '2h 07m'],
  [356_400_000, '4d 3h'],
])('writes a duration of %d ms as %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

it('writes how long ago in one unit', () => {
  expect([-5, 42_000, 300_000, 7_200_000, 172_800_000].map(ms => age(ms, 'now'))).toEqual([
    'now',
    '42s',
    '5m',
    '2h',
    '2d',
  ])
})

it('writes the time since the start so that columns line up', () => {
  expect([42, 12_345, 62_003, 3_723_456, -1500].map(offset)).toEqual([
    '+0.042',
    '+12.345',
    '+1:02.003',
    '+1:02:03.456',
    '-1.500',
  ])
})

it('shortens large counts and sizes', () => {
  expect([9_999, 12_345, 999_949, 5_000_000].map(shortCount)).toEqual(['9,999', '12.3k', '1M', '5M'])
  expect([512, 1536, 3_221_225_472].map(bytes)).toEqual(['512 B', '1.5 KiB', '3.0 GiB'])
})
