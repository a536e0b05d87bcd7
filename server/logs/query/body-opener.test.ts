import { zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { BodyOpener, decompressInto } from './body-opener.ts'

function body(message: string) {
  const writer = new SegmentWriter()
  writer.addString(message, 0, 1)
  return { stored: { firstSeq: 1, codec: 'zstd' as const, body: zstdCompressSync(writer.finish()) }, message }
}

test('this Node lets one decoder decompress frame after frame, also after a broken one', () => {
  const memory = Buffer.alloc(1000)
  const frame = zstdCompressSync('some text')
  expect(decompressInto(memory, frame)).toBe(9)
  expect(decompressInto(memory, frame.subarray(0, frame.length - 2))).toBeUndefined()
  expect(decompressInto(memory, Buffer.from('not a frame at all'))).toBeUndefined()
  expect(decompressInto(memory, frame)).toBe(9)
  expect(memory.toString('utf8', 0, 9)).toBe('some text')
  expect(decompressInto(Buffer.alloc(4), frame)).toBeUndefined()
  expect(decompressInto(memory, frame)).toBe(9)
})

test('two scans have their own memory', () => {
  using one = new BodyOpener()
  using other = new BodyOpener()
  const [a, b] = [body('first'), body('second')]
  const first = one.open(a.stored, { count: 1, textBytes: 6 })
  const second = other.open(b.stored, { count: 1, textBytes: 7 })
  expect([first.message(0), second.message(0)]).toEqual(['first', 'second'])
})

test('a broken body is an error', () => {
  using opener = new BodyOpener()
  const stored = { firstSeq: 1, codec: 'zstd' as const, body: Buffer.from('broken') }
  expect(() => opener.open(stored, { count: 1, textBytes: 1 })).toThrow()
})
