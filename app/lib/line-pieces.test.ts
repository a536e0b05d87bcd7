import { describe, expect, it } from 'vitest'
import { linePieces, markPattern } from './line-pieces.ts'

const marked = (message: string, pattern?: RegExp) =>
  linePieces(message, pattern).flatMap(piece => (piece.match ? [piece.text] : []))
const links = (message: string) => linePieces(message).flatMap(piece => (piece.href ? [piece.href] : []))

describe('linePieces', () => {
  it('marks matches, also across a change of colour', () => {
    expect(marked('error: Error', markPattern('error', false, false))).toEqual(['error', 'Error'])
    expect(marked('er\u001b[31mror', markPattern('error', false, false))).toEqual(['er', 'ror'])
  })

  it('finds links without the punctuation behind them, and only http', () => {
    expect(links('see https://a.test/x?y=1#z. (http://b.test/)')).toEqual([
      'https://a.test/x?y=1#z',
      'http://b.test/',
    ])
    expect(links('(see https://a.test/w_(x)), https://a.test/(y).)')).toEqual([
      'https://a.test/w_(x)',
      'https://a.test/(y)',
    ])
    expect(links('javascript:alert(1) data:text/html,x')).toEqual([])
  })

  it('gives the whole text back in order', () => {
    const message = 'a https://x.test \u001b[32mgreen\u001b[0m b'
    const text = linePieces(message, markPattern('e', false, false))
      .map(piece => piece.text)
      .join('')
    expect(text).toBe('a https://x.test green b')
  })

  it('marks nothing for a pattern that matches the empty text', () => {
    expect(marked('abc', markPattern('x*', true, false))).toEqual([])
  })
})

describe('markPattern', () => {
  it('takes text literally unless it is a regular expression', () => {
    expect(markPattern('a.b', false, true)?.source).toBe('a\\.b')
    expect(markPattern('a.b', true, true)?.flags).toBe('g')
  })

  it('refuses patterns that do not compile or could run for ever', () => {
    expect(markPattern('(', true, false)).toBeUndefined()
    expect(markPattern('(a+)+$', true, false)).toBeUndefined()
    expect(markPattern('(a|a)*b', true, false)).toBeUndefined()
  })
})
