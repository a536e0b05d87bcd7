import { expect, test } from 'vitest'
import { doubledName, envOf, envRow, pastedRows } from './env-rows.ts'

const plain = (text: string) => pastedRows(text)?.map(({ name, value }) => [name, value])

test('a pasted .env file becomes rows, without its comments and quotes', () => {
  expect(plain('# a comment\nexport A=1\nB="two words"\n\nC=x=y\r\n')).toEqual([
    ['A', '1'],
    ['B', 'two words'],
    ['C', 'x=y'],
  ])
})

test('a text with a line that is no variable is pasted as text', () => {
  expect(pastedRows('A=1\nhello')).toBeUndefined()
  expect(pastedRows('')).toBeUndefined()
})

test('empty rows are not sent, and no row at all is null', () => {
  expect(envOf([envRow('A', ''), envRow()])).toEqual({ A: '' })
  expect(envOf([envRow()])).toBeNull()
})

test('a name that stands twice is found', () => {
  expect(doubledName([envRow('A', '1'), envRow('B', '2')])).toBeUndefined()
  expect(doubledName([envRow('A', '1'), envRow(' A ', '2')])).toBe('A')
})
