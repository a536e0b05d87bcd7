import { expect, it } from 'vitest'
import { hashOfLines, lineOfHash } from './line-hash.ts'

it('reads a line and a range, in either spelling', () => {
  expect(lineOfHash('#L12')).toEqual({ from: 12, to: 12 })
  expect(lineOfHash('#seq-7')).toEqual({ from: 7, to: 7 })
  expect(lineOfHash('#L20-L12')).toEqual({ from: 12, to: 20 })
})

it('takes other fragments for none', () => {
  expect(['', '#', '#key=abc', '#Lx', '#L1-', `#L${'9'.repeat(20)}`].map(lineOfHash)).toEqual(
    Array(6).fill(undefined),
  )
})

it('writes what it reads', () => {
  expect(hashOfLines({ from: 3, to: 3 })).toBe('#L3')
  expect(lineOfHash(hashOfLines({ from: 3, to: 9 }))).toEqual({ from: 3, to: 9 })
})
