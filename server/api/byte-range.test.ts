import { expect, test } from 'vitest'
import { placeOf, rangeOf } from './byte-range.ts'

test.each([
  ['bytes=0-0', 0, 1],
  ['bytes=0-', 0, 1000],
  ['bytes=10-19', 10, 20],
  ['bytes=990-5000', 990, 1000],
  ['bytes=-1', 999, 1000],
  ['bytes=-5000', 0, 1000],
  ['bytes= 5 - 6 ', 5, 7],
])('%s of 1000 bytes is %i up to %i', (header, start, end) => {
  expect(rangeOf(header, 1000)).toEqual({ start, end })
})

test.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0'])('%s of 1000 bytes is nothing', header => {
  expect(rangeOf(header, 1000)).toBe('unsatisfiable')
})

test.each([
  undefined,
  '',
  'bytes',
  'bytes=',
  'bytes=-',
  'bytes=5-4',
  'bytes=a-b',
  'lines=0-1',
  'bytes=0-1,4-5',
])('%s is answered by the whole', header => {
  expect(rangeOf(header, 1000)).toBeUndefined()
})

test('a file without bytes has no ranges', () => {
  expect(rangeOf('bytes=0-', 0)).toBeUndefined()
})

test('an upload says where its bytes belong', () => {
  expect(placeOf('bytes 0-99/1000', 100)).toEqual({ offset: 0, length: 100, total: 1000 })
  expect(placeOf('bytes 10-10/11', undefined)).toEqual({ offset: 10, length: 1, total: 11 })
  expect(placeOf('bytes */11', 0)).toEqual({ offset: 11, length: 0, total: 11 })
})

test.each([
  ['0-99/1000', 100, 'must be "bytes FIRST-LAST/SIZE"'],
  ['bytes 0-99/*', 100, 'must be "bytes FIRST-LAST/SIZE"'],
  ['bytes 9-5/10', 5, 'ends before it begins'],
  ['bytes 0-99/1000', 99, 'spans 100 bytes, and the body has 99'],
  ['bytes */10', 3, '"*" goes with an empty body'],
])('Content-Range: %s with %i bytes is refused', (header, length, message) => {
  expect(() => placeOf(header, length)).toThrow(message)
})
