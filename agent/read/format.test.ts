import { expect, test } from 'vitest'
import { formatEntry } from './format.ts'

const entry = (message: string) => ({
  id: 't:1',
  taskId: 't',
  seq: 1,
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'stdout' as const,
  level: 'INFO' as const,
  message,
})
const shown = (message: string, colour: boolean) =>
  formatEntry(entry(message), { timestamps: false, colour }).slice('INFO     '.length)

test('A program’s colours are kept where colours are wanted, and end with its line', () => {
  expect(shown('\u001b[1;31mred\u001b[0m and \u001b[38:5:3mbrown', true)).toBe(
    '\u001b[1;31mred\u001b[0m and \u001b[38:5:3mbrown\u001b[0m',
  )
  expect(shown('\u001b[1;31mred\u001b[0m', false)).toBe('red')
})

test.each([
  ['clears the screen', '\u001b[2J\u001b[Hx', 'x'],
  ['resets the terminal', '\u001bcx', 'x'],
  ['renames the window', '\u001b]0;evil\u0007x', 'x'],
  ['writes the clipboard', '\u001b]52;c;ZXZpbA==\u001b\\x', 'x'],
  ['asks for an answer', '\u001bP$q"p\u001b\\x\u001b[6n', 'x'],
  ['speaks in one-character forms', '\u009b2Jx\u009d0;evil\u009cy', 'xy'],
  ['never ends its title', 'x\u001b]0;evil', 'x'],
  ['writes over the line', 'hidden\rshown\b', 'hidden␍shown␈'],
  ['rings, and holds zero bytes', 'a\u0007b\u0000c\u007f', 'a␇b␀c␡'],
  ['ends with a lone escape', 'x\u001b', 'x␛'],
  ['has several lines and tabs', 'a\r\n\tb\nc', 'a\n\tb\nc'],
])('A message that %s does none of it in the terminal of who reads it', (_, message, text) => {
  expect(shown(message, false)).toBe(text)
  expect(shown(message, true)).toBe(text)
})
