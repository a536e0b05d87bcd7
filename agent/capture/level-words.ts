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

/** Words by `shape`, so that a look at most words ends at once. */
const byShape: (LevelWord[] | undefined)[] = new Array(2 ** 15).fill(undefined)
for (const level of LEVELS) {
  for (const word of WORDS[level].split(' ')) {
    const bytes = new TextEncoder().encode(word)
    const key = shape(bytes, 0)
    byShape[key] = [...(byShape[key] ?? []), { bytes, level: LEVELS.indexOf(level) }]
  }
}

/** Whether some word for a level begins with these two letters: of running text, most words end here. */
const BEGINNINGS = new Uint8Array(2 ** 10)
for (const [key, words] of byShape.entries()) if (words) BEGINNINGS[key >>> 5] = 1

/**
 * The level that the letters from `start` to `end` name, in any case; -1 for any other word.
 * @param bytes a line's
 */
export function levelOfWord(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length < 3 || length > 11) return -1
  if (BEGINNINGS[((bytes[start]! & 31) << 5) | (bytes[start + 1]! & 31)] === 0) return -1
  const candidates = byShape[shape(bytes, start)]
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

/** The first three letters, in any case, as one number; of what has others in it, that of some letters. */
function shape(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 31) << 10) | ((bytes[at + 1]! & 31) << 5) | (bytes[at + 2]! & 31)
}

function sameLetters(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++) {
    if ((bytes[start + index]! | 0x20) !== word[index]) return false
  }
  return true
}
