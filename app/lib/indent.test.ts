import { expect, test } from 'vitest'
import { type Edit, indented, outdented } from './indent.ts'

const done = (text: string, edit: Edit) => {
  const after = text.slice(0, edit.from) + edit.text + text.slice(edit.to)
  return `${after.slice(0, edit.selectionStart)}[${after.slice(edit.selectionStart, edit.selectionEnd)}]${after.slice(edit.selectionEnd)}`
}
const at = (marked: string) => {
  const start = marked.indexOf('[')
  const end = marked.indexOf(']') - 1
  return { text: marked.replace(/[[\]]/g, ''), start, end }
}
const tab = (marked: string) => {
  const { text, start, end } = at(marked)
  return done(text, indented(text, start, end))
}
const back = (marked: string) => {
  const { text, start, end } = at(marked)
  return done(text, outdented(text, start, end))
}

test('Tab puts two spaces where the cursor is', () => {
  expect(tab('a[]b')).toBe('a  []b')
})

test('Tab indents every line that the selection touches, but not the one it ends before', () => {
  expect(tab('one\ntw[o\nthree\n]four')).toBe('one\n  tw[o\n  three\n]four')
})

test('Shift and Tab take away what there is of an indentation, a tab included', () => {
  expect(back('    a[]')).toBe('  a[]')
  expect(back('[ a\n\tb\nc]')).toBe('[a\nb\nc]')
})

test('Shift and Tab leave the cursor in its line', () => {
  expect(back('x\n [] a')).toBe('x\n[]a')
})
