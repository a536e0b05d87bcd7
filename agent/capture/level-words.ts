import { LEVELS, type Level } from '#protocol/levels.ts'

const WORDS: Record<Level, string> = {
  DEBUG: 'trace trc trce debug dbg dbug verbose finer finest',
  INFO: 'info inf information notice',
  WARN: 'warn wrn warning',
  ERROR: 'error err severe fail',
  CRITICAL: 'critical crit fatal ftl panic pnc emerg emergency alert',
}

interface LevelWord {
  bytes: Uint8Array
  level: number
}

/** Words by `shape`: one number of their first three letters, so that a look at most words ends at once. */
const byShape = new Map<number, LevelWord[]>()
for (const level of LEVELS) {
  for (const word of WORDS[level].split(' ')) {
    const bytes = new TextEncoder().encode(word)
    const key = shape(bytes, 0)
    byShape.set(key, [...(byShape.get(key) ?? []), { bytes, level: LEVELS.indexOf(level) }])
  }
}

/** Whether some word for a level begins with these two letters, in any case: `[first & 31, second & 31]`. */
const BEGINNINGS = new Uint8Array(1024)
for (const [word] of byShape.values()) BEGINNINGS[((word!.bytes[0]! & 31) << 5) | (word!.bytes[1]! & 31)] = 1

/**
 * The level that the letters from `start` to `end` name, in any case; -1 for any other word.
 * @param bytes a line's
 */
export function levelOfWord(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length < 3 || length > 11) return -1
  if (BEGINNINGS[((bytes[start]! & 31) << 5) | (bytes[start + 1]! & 31)] === 0) return -1
  const candidates = byShape.get(shape(bytes, start))
  if (candidates === undefined) return -1
  for (const { bytes: word, level } of candidates) {
    if (word.length === length && sameLetters(bytes, start, word)) return level
  }
  return -1
}

/** The level of a field's value: a word, or bunyan's and pino's numbers from 10 to 60. */
export function levelOfValue(bytes: Uint8Array, start: number, end: number): number {
  if (end - start === 2 && bytes[start + 1] === 0x30) {
    const tens = bytes[start]! - 0x30
    if (tens >= 1 && tens <= 6) return tens <= 2 ? 0 : tens - 2
  }
  return levelOfWord(bytes, start, end)
}

function shape(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! | 0x20) << 16) | ((bytes[at + 1]! | 0x20) << 8) | (bytes[at + 2]! | 0x20)
}

function sameLetters(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let index = 3; index < word.length; index++) {
    if ((bytes[start + index]! | 0x20) !== word[index]) return false
  }
  return true
}
