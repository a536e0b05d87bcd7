import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FLAG_CONTINUED, FLAG_OVERWRITES } from '#protocol/segment-layout.ts'
import { LineSplitter } from './lines.ts'

type Line = [text: string, flags: number, number: number]

function collect(): { lines: Line[]; splitter: LineSplitter } {
  const lines: Line[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const splitter = new LineSplitter({
    block(text, ends, count, lineNumber) {
      let start = 0
      for (let index = 0; index < count; index++) {
        expect(text[ends[index]! - 1]).toBe(10)
        lines.push([decoder.decode(text.subarray(start, ends[index]! - 1)), 0, lineNumber + index])
        start = ends[index]!
      }
    },
    line(message, flags, lineNumber) {
      expect(message.length).toBeLessThanOrEqual(65_536)
      lines.push([decoder.decode(message), flags, lineNumber])
    },
  })
  return { lines, splitter }
}

function split(...chunks: (string | Uint8Array)[]): Line[] {
  const { lines, splitter } = collect()
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk as string)
    splitter.push(memory)
    // The reader uses its memory again.
    memory.fill('\n')
  }
  splitter.end()
  return lines
}

function inChunks(bytes: Uint8Array, cuts: number[]): Line[] {
  const at = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return split(...[0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length)))
}

const nastyBytes = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .constantFrom('\n', '\r\n', '\r', 'a', 'é', '日本', '😀', '\0', '\u001b[31m', ' ')
          .map(text => Buffer.from(text)),
      },
      { weight: 2, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 4 }) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 65_530, max: 65_545 }).map(length => Buffer.alloc(length, 'é')),
      },
    ),
    { maxLength: 30 },
  )
  .map(parts => Buffer.concat(parts))

describe('lines of any bytes', () => {
  it('are the same however the bytes were cut into chunks', () => {
    fc.assert(
      fc.property(nastyBytes, fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
        expect(inChunks(bytes, cuts)).toEqual(split(bytes))
      }),
      { numRuns: 300 },
    )
  })

  it('hold exactly the text between newlines where there is nothing unusual in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }).map(text => text.replace(/[\r\n]/g, ''))),
        lines => {
          const text = lines.map(line => `${line}\n`).join('')
          expect(split(text)).toEqual(lines.map((line, index) => [line, 0, index + 1]))
        },
      ),
    )
  })

  it('keep a character that was split over two reads', () => {
    const bytes = Buffer.from('日本\n')
    expect(split(bytes.subarray(0, 2), bytes.subarray(2))).toEqual([['日本', 0, 1]])
  })

  it('have U+FFFD where bytes are no UTF-8, and NUL as it is', () => {
    expect(split(Buffer.from([0x61, 0xff, 0x62, 0, 10]))).toEqual([['a\uFFFDb\0', 0, 1]])
  })

  it('end with LF, CRLF or the end of the stream', () => {
    expect(split('a\r\nb\nc')).toEqual([
      ['a', 0, 1],
      ['b', 0, 2],
      ['c', 0, 3],
    ])
  })

  it('are all there when 100 000 of them are empty', () => {
    expect(split('\n'.repeat(100_000))).toHaveLength(100_000)
  })

  it('of a megabyte go in parts of 64 KiB, cut between characters', () => {
    const line = 'é'.repeat(524_288)
    const parts = split(`${line}\nnext\n`)
    expect(
      parts
        .slice(0, -1)
        .map(([text]) => text)
        .join(''),
    ).toBe(line)
    expect(parts.map(([, flags]) => flags)).toEqual([0, ...Array(15).fill(FLAG_CONTINUED), 0])
    expect(parts.at(-1)).toEqual(['next', 0, 2])
  })

  it('show the last state of a line that is redrawn', () => {
    expect(split('10%\r50%\r100%\ndone\n')).toEqual([
      ['100%', 0, 1],
      ['done', 0, 2],
    ])
  })
})

describe('an open line that is given on', () => {
  it('is continued by what follows', () => {
    const { lines, splitter } = collect()
    splitter.push(Buffer.from('Password: '))
    splitter.flush()
    splitter.push(Buffer.from('ok\nnext\n'))
    expect(lines).toEqual([
      ['Password: ', 0, 1],
      ['ok', FLAG_CONTINUED, 1],
      ['next', 0, 2],
    ])
  })

  it('is overwritten by what follows a carriage return', () => {
    const { lines, splitter } = collect()
    for (const text of ['10%\r', '20%\r30%\r', '100%\r', '\n', 'done\n']) {
      splitter.push(Buffer.from(text))
      splitter.flush()
    }
    expect(lines).toEqual([
      ['10%', 0, 1],
      ['30%', FLAG_OVERWRITES, 1],
      ['100%', FLAG_OVERWRITES, 1],
      ['done', 0, 2],
    ])
  })

  it('holds back a character that is not whole, and says so', () => {
    const { lines, splitter } = collect()
    splitter.push(Buffer.from('a日').subarray(0, 3))
    splitter.flush()
    expect(lines).toEqual([['a', 0, 1]])
    splitter.push(Buffer.from('日\n').subarray(2))
    expect(lines[1]).toEqual(['日', FLAG_CONTINUED, 1])
  })
})
