import { levelOfValue } from './level-words.ts'

const KEYS = new Set([
  'level',
  'lvl',
  'severity',
  'loglevel',
  'log_level',
  'levelname',
  'log.level',
  'level_name',
])
/** A level stands near the front of a JSON line; a longer look costs more than it finds. */
const JSON_BYTES = 4096

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The level that a line of JSON names in a field of its outermost object; -1 where there is none. */
export function levelOfJson(bytes: Uint8Array, start: number, lineEnd: number): number {
  const end = Math.min(lineEnd, start + JSON_BYTES)
  let depth = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === QUOTE) {
      const close = closingQuote(bytes, at + 1, end)
      const colon = skipSpaces(bytes, close + 1, end)
      if (depth === 1 && bytes[colon] === 0x3a && isKey(bytes, at + 1, close)) {
        const level = levelAfter(bytes, skipSpaces(bytes, colon + 1, end), end)
        if (level >= 0) return level
      }
      at = close
    }
  }
  return -1
}

/** The level in `level=warn` and its like, where the key begins at `start`; -1 where there is none. */
export function levelOfPair(bytes: Uint8Array, start: number, end: number): number {
  let equals = start
  while (equals < end && bytes[equals] !== 0x3d) {
    if (equals - start > 12) return -1
    equals++
  }
  return equals < end && isKey(bytes, start, equals) ? levelAfter(bytes, equals + 1, end) : -1
}

function levelAfter(bytes: Uint8Array, at: number, end: number): number {
  const start = bytes[at] === QUOTE || bytes[at] === 0x27 ? at + 1 : at
  let stop = start
  while (stop < end && stop - start < 12 && isAlphanumeric(bytes[stop]!)) stop++
  return levelOfValue(bytes, start, stop)
}

function isKey(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (length < 3 || length > 10) return false
  const first = bytes[start]! | 0x20
  if (first !== 0x6c && first !== 0x73) return false
  return KEYS.has(String.fromCharCode(...bytes.subarray(start, end)).toLowerCase())
}

function closingQuote(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && bytes[at] === 0x20) at++
  return at
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)
}
