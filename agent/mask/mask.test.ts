import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Matcher } from './matcher.ts'
import { MaskStream } from './stream.ts'

/** Every byte that belongs to an occurrence is secret: looked for one by one. */
function naive(text: string, patterns: string[]): string {
  const positions: number[] = []
  for (let at = 0; at < text.length; at++) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
    const seam = /^(?:[\r\n]|\u001b\[[ -?]{0,30}[@-~])/.exec(text.slice(at))
    if (seam) at += seam[0].length - 1
    else positions.push(at)
  }
  const reduced = positions.map(at => text[at]).join('')
  const secret = new Set<number>()
  for (const pattern of patterns) {
    for (let at = reduced.indexOf(pattern); at >= 0; at = reduced.indexOf(pattern, at + 1)) {
      const where = positions.slice(at, at + pattern.length)
      let run = 1
      let longest = 1
      for (let index = 1; index < where.length; index++) {
        run = where[index] === where[index - 1]! + 1 ? run + 1 : 1
        longest = Math.max(longest, run)
      }
      if (longest === pattern.length || longest >= 8) for (const each of where) secret.add(each)
    }
  }
  let masked = ''
  for (let at = 0; at < text.length; at++) {
    if (!secret.has(at)) masked += text[at]
    else if (!secret.has(at - 1)) masked += '***'
  }
  return masked
}

function masked(chunks: string[], patterns: string[]): string {
  const matcher = new Matcher(patterns.map(pattern => Buffer.from(pattern)))
  const out: string[] = []
  const stream = new MaskStream({ matcher, command: () => {} }, bytes =>
    out.push(Buffer.from(bytes).toString('latin1')),
  )
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk, 'latin1')
    stream.push(memory)
    // The reader uses its memory again.
    memory.fill('\n')
  }
  stream.end()
  return out.join('')
}

/** Pieces of secrets and what may stand between them: much that nearly matches. */
function scene(letters: string) {
  const letter = fc.constantFrom(...letters)
  const secret = fc.string({ unit: letter, minLength: 4, maxLength: 24 })
  return fc.array(secret, { minLength: 1, maxLength: 4 }).chain(secrets => {
    const piece = fc.oneof(
      fc.constantFrom(...secrets),
      fc.constantFrom(...secrets).chain(text => fc.nat(text.length).map(at => text.slice(0, at))),
      fc.constantFrom(...secrets).chain(text => fc.nat(text.length).map(at => text.slice(at))),
      fc.constantFrom('\n', '\r\n', '\u001b[1;31m', '\u001b[', '\u001b', ' ', '::add-mask:.', '\xff\xfe'),
      fc.string({ unit: letter, maxLength: 5 }),
    )
    return fc.tuple(
      fc.constant(secrets),
      fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join('')),
    )
  })
}

function cut(text: string, sizes: number[]): string[] {
  const chunks: string[] = []
  let at = 0
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length]!
    chunks.push(text.slice(at, at + size))
    at += size
  }
  return chunks
}
const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })

describe('masking', () => {
  it.each(['ab', 'abcdefgh', 'a[1m'])(
    'finds what a naive search finds, however the text is cut: %s',
    letters => {
      fc.assert(
        fc.property(scene(letters), sizes, ([secrets, text], each) => {
          // A letter ends whatever escape sequence was begun.
          const whole = `${text}Z`
          expect(masked([whole], secrets)).toBe(naive(whole, secrets))
          // A line that has ended is not held for up to three bytes, so these may be seen.
          const open = whole.replaceAll('\n', '\u001b[m')
          expect(masked(cut(open, each), secrets)).toBe(naive(open, secrets))
        }),
        { numRuns: 3000 },
      )
    },
  )
})
