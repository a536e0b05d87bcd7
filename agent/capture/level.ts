import { levelOfJson, levelOfPair } from './level-fields.ts'
import { CONTINUES, EXCEPTION, levelOfLead, NONE } from './level-lead.ts'
import { levelOfWord } from './level-words.ts'

const INFO = 1
const WARN = 2
const ERROR = 3

/** Gives each line of one source its level. Lines without one of their own belong to the line before, or have the default. */
export class LevelTracker {
  readonly #default: number
  #last = NONE

  /** @param fallback level of lines that say nothing: INFO (1) for stdout, ERROR (3) for stderr */
  constructor(fallback: number = INFO) {
    this.#default = fallback
  }

  /** @returns position in LEVELS */
  levelOf(bytes: Uint8Array, start: number, end: number): number {
    const level = start === end ? NONE : detectLevel(bytes, start, end)
    if (level === NONE) {
      const indented = bytes[start] === 0x20 || bytes[start] === 0x09
      if (indented && start < end && this.#last !== NONE) return this.#last
      this.#last = NONE
      return this.#default
    }
    if (level === CONTINUES) return this.#last === NONE ? this.#default : this.#last
    this.#last = level === EXCEPTION ? Math.max(this.#last >= WARN ? this.#last : ERROR, WARN) : level
    return this.#last
  }
}

/** A level is looked for in a line's head only. */
const HEAD_BYTES = 140

const SEPARATOR = 1
const ESCAPE = 2
const LETTER = 3
const DIGIT = 4
const CLASS = new Uint8Array(256)
for (const char of ' \t[]()<>|"\',;{}#') CLASS[char.charCodeAt(0)] = SEPARATOR
for (let letter = 0x61; letter <= 0x7a; letter++) CLASS[letter] = CLASS[letter - 0x20] = LETTER
for (let digit = 0x30; digit <= 0x39; digit++) CLASS[digit] = DIGIT
CLASS[0x1b] = ESCAPE
/** What a token ends before. */
const ENDS = CLASS.map(kind => (kind === SEPARATOR || kind === ESCAPE ? 1 : 0))

// What stands before a word in its line's head, as bits: no object is made for each line.
const TIMED = 1
/** Only an opening bracket stands before the word. */
const BRACKETED = 2
/** A bare number stands before the word, as in "0 ERROR lines". */
const COUNTED = 4
const AT_START = 8
const NPM = 16

/** What a line itself says of its level: a position in LEVELS, NONE, EXCEPTION or CONTINUES. */
export function detectLevel(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!
  if (first === 0x7b) return levelOfJson(bytes, start, end)
  const lead = levelOfLead(bytes, start, end)
  if (lead !== NONE) return lead
  const limit = Math.min(end, start + HEAD_BYTES)
  // Words of running text so far: what may still be a log line's head.
  let words = 0
  let before = 0
  let at = start
  while (at < limit) {
    const byte = bytes[at]!
    const kind = CLASS[byte]!
    if (kind === SEPARATOR) {
      if (byte !== 0x20) {
        before &= ~(BRACKETED | COUNTED)
        if (byte === 0x5b) before |= BRACKETED
      }
      at++
      continue
    }
    if (kind === ESCAPE) {
      at = afterEscape(bytes, at, limit)
      continue
    }
    const from = at
    while (at < limit && ((bytes[at]! | 0x20) - 0x61) >>> 0 < 26) at++
    const wordEnd = at
    const stop = at < end ? CLASS[bytes[at]!]! : SEPARATOR
    if (stop !== SEPARATOR) at = tokenEnd(bytes, at, end)
    if (wordEnd === from) {
      if (kind === DIGIT && isTime(bytes, from, at)) before |= TIMED
      else if (byte === 0x3a && bytes[from + 1] === 0x3a && from === start) {
        const level = workflowCommand(bytes, from + 2, at)
        if (level !== NONE) return level
      }
      if (kind === DIGIT && bytes[at] === 0x20) before |= COUNTED
      else before &= ~COUNTED
      continue
    }
    const level = levelOfWord(bytes, from, wordEnd)
    if (level !== NONE && isTermination(wordEnd < end ? bytes[wordEnd]! : 0)) {
      const head = from === start ? before | AT_START : before
      if (isLevel(bytes, from, wordEnd, end, words, head)) return level
    }
    if (bytes[wordEnd] === 0x3d || bytes[wordEnd] === 0x5f || bytes[wordEnd] === 0x2e) {
      const pair = levelOfPair(bytes, from, at)
      if (pair !== NONE) return pair
      const quoted =
        at < end && bytes[at] === 0x22 && bytes[at - 1] === 0x3d ? levelOfPair(bytes, from, end) : NONE
      if (quoted !== NONE) return quoted
    }
    if (from === start) {
      if (isException(bytes, from, at, end)) return EXCEPTION
      if (wordEnd - from === 3 && byte === 0x6e && bytes[from + 1] === 0x70 && bytes[from + 2] === 0x6d)
        before |= NPM
    }
    if (wordEnd === at && wordEnd - from > 1 && hasLower(bytes, from, wordEnd)) {
      words++
      if (words > 3 || (words > 2 && (before & TIMED) === 0)) return NONE
    }
    before &= ~(BRACKETED | COUNTED)
  }
  return NONE
}

/** Whether a word that names a level stands where log formats put it, and not in running text. */
function isLevel(
  bytes: Uint8Array,
  from: number,
  to: number,
  end: number,
  words: number,
  head: number,
): boolean {
  const after = to < end ? bytes[to]! : 0
  const upper = bytes[from]! < 0x60 && bytes[from + 1]! < 0x60
  if ((head & NPM) !== 0 && words <= 1) return true
  if ((head & BRACKETED) !== 0 && (after === 0x5d || (after === 0x20 && upper))) return true
  if (after === 0x3a) return (upper || words <= 2) && !saysNone(bytes, to + 1, end)
  if (after === 0x5b) return !upper && words === 0 && bytes[to + 1] === 0x45
  if (upper) return (head & TIMED) !== 0 ? words <= 3 : words === 0 && (head & COUNTED) === 0
  if (after !== 0x20 && after !== 0x09) return false
  if ((head & TIMED) !== 0 && words === 0) return true
  const next = bytes[to + 1]!
  return (
    (head & AT_START) !== 0 &&
    ((next >= 0x41 && next <= 0x5a) ||
      next === 0x22 ||
      (next === 0x20 && bytes[to + 2] === 0x2d) ||
      next === 0x2d)
  )
}

/** `error: 0`, `Errors: none`: a count or a field, no message. */
function saysNone(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from
  while (at < end && bytes[at] === 0x20) at++
  const start = at
  while (at < end && (CLASS[bytes[at]!] === LETTER || CLASS[bytes[at]!] === DIGIT)) at++
  if (at < end && bytes[at] !== 0x2c && bytes[at] !== 0x20 && bytes[at] !== 0x2e && bytes[at] !== 0x0d)
    return false
  const word = String.fromCharCode(...bytes.subarray(start, Math.min(at, start + 6)))
  return (
    /^(\d+|none|null|nil|no|false|ok)$/i.test(word) && (at >= end || bytes[at] !== 0x20 || /^\d/.test(word))
  )
}

function isTermination(after: number): boolean {
  const kind = CLASS[after]
  return (
    after === 0 || kind === SEPARATOR || kind === ESCAPE || after === 0x3a || after === 0x21 || after === 0x0d
  )
}

function workflowCommand(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && CLASS[bytes[at]!] === LETTER) at++
  return levelOfWord(bytes, from, at)
}

/** `ValueError: …`, `java.lang.IllegalStateException: …`, alone at the beginning of a line. */
function isException(bytes: Uint8Array, from: number, to: number, end: number): boolean {
  const colon = bytes[to - 1] === 0x3a
  if (!colon && to !== end) return false
  const stop = colon ? to - 1 : to
  return (
    (endsWith(bytes, from, stop, 'Error') && stop - from > 5) ||
    (endsWith(bytes, from, stop, 'Exception') && stop - from > 8)
  )
}

function endsWith(bytes: Uint8Array, from: number, to: number, word: string): boolean {
  const start = to - word.length
  if (start < from) return false
  for (let index = 0; index < word.length; index++)
    if (bytes[start + index] !== word.charCodeAt(index)) return false
  return true
}

/** Digits that are a date, a time of day or seconds since 1970. */
function isTime(bytes: Uint8Array, from: number, to: number): boolean {
  const second = bytes[from + 2]
  const fourth = bytes[from + 4]
  return (
    to - from >= 4 &&
    (bytes[from + 1] === 0x3a ||
      second === 0x3a ||
      second === 0x2f ||
      fourth === 0x2d ||
      fourth === 0x2f ||
      to - from >= 10)
  )
}

function hasLower(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[to - 1]! >= 0x61 || bytes[from]! >= 0x61
}

function tokenEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && ENDS[bytes[at]!] === 0) at++
  return at
}

function afterEscape(bytes: Uint8Array, at: number, end: number): number {
  let next = at + 1
  if (bytes[next] !== 0x5b) return next
  next++
  while (next < end && (bytes[next]! < 0x40 || bytes[next]! > 0x7e)) next++
  return next + 1
}
