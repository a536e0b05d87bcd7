import { expect, test } from 'vitest'
import { shownAs, typeOf } from './preview.ts'

test.each([
  ['report.pdf', 'application/pdf'],
  ['out/data.JSON', 'application/json'],
  ['src/main.ts', 'text/plain'],
  ['a/b.tar.gz', 'application/gzip'],
  ['Makefile', 'application/octet-stream'],
  ['a.d/f', 'application/octet-stream'],
  ['.env', 'application/octet-stream'],
])('%s is named %s', (path, type) => {
  expect(typeOf(path)).toBe(type)
})

const images: [name: string, hex: string, type: string, width: number, height: number][] = [
  ['a PNG', '89504e470d0a1a0a0000000d4948445200000280000001e00806000000', 'image/png', 640, 480],
  ['a GIF', '4749463839610a001400', 'image/gif', 10, 20],
  ['a JPEG', 'ffd8ffe000104a46494600010101004800480000ffc0001108001400280301', 'image/jpeg', 40, 20],
  ['a WebP', '524946461a0000005745425056503820060000003001009d012a20001000', 'image/webp', 32, 16],
]
test.each(images)('%s is known by its bytes, with its size', (_, hex, contentType, width, height) => {
  const head = Buffer.from(hex, 'hex')
  expect(shownAs('text/html', head)).toEqual({ contentType, preview: { kind: 'image', width, height } })
})

test('an image that breaks off is one without a size', () => {
  const [, hex] = images[2]!
  expect(shownAs('image/jpeg', Buffer.from(hex.slice(0, 30), 'hex')).preview).toEqual({ kind: 'image' })
})

const OCTETS = 'application/octet-stream'
test.each([
  ['a PDF', OCTETS, Buffer.from('%PDF-1.7\n%\xe2\xe3', 'latin1'), 'application/pdf', 'pdf'],
  ['text with colours', OCTETS, Buffer.from('\x1b[31mred\x1b[0m ü\n'), 'text/plain', 'text'],
  ['a page', 'text/html', Buffer.from('<script>'), 'text/html', 'text'],
  ['text with a NUL', 'text/plain', Buffer.from('a\0b'), 'text/plain', 'none'],
  ['text in another coding', 'text/plain', Buffer.from('caf\xe9!', 'latin1'), 'text/plain', 'none'],
  ['text cut within a letter', 'text/plain', Buffer.from('café').subarray(0, 4), 'text/plain', 'text'],
  ['an archive', 'application/zip', Buffer.from('PK\x03\x04'), 'application/zip', 'none'],
  ['a drawing', 'image/svg+xml', Buffer.from('<svg/>'), 'image/svg+xml', 'image'],
])('%s is shown as what it is', (_, given, head, contentType, kind) => {
  expect(shownAs(given, head)).toEqual({ contentType, preview: { kind } })
})
