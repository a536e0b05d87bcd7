import { Buffer } from 'node:buffer'

/** Finds one text in blocks of UTF-8 without decoding them. */
export interface TextFinder {
  /** UTF-8 bytes of what is looked for, which is also the length of what is found. */
  readonly length: number
  /** For one text: the position of the first occurrence at or after `from`, or -1. */
  over(text: Buffer): (from: number) => number
}

/**
 * A finder that agrees with `matchesEntry`; `undefined` where bytes cannot decide: a letter beyond ASCII that has another case, or
 * half a surrogate pair.
 */
export function textFinder(search: string, caseSensitive: boolean): TextFinder | undefined {
  if (!search.isWellFormed()) return undefined
  const needle = Buffer.from(search)
  if (!caseSensitive && !onlyCaseless(search)) return undefined
  if (!caseSensitive && /[A-Za-z]/.test(search)) return foldingFinder(needle)
  return { length: needle.length, over: text => from => text.indexOf(needle, from) }
}

/** Whether no UTF-16 unit beyond ASCII has another case; in a pattern that ignores case, ASCII letters fold among themselves alone. */
function onlyCaseless(search: string): boolean {
  for (let index = 0; index < search.length; index++) {
    if (search.charCodeAt(index) < 128) continue
    const unit = search[index]!
    if (unit.toLowerCase() !== unit || unit.toUpperCase() !== unit) return false
  }
  return true
}

/** Bytes that are rarer than this in a sample are found by `indexOf`; below it, skipping by the needle's length is faster. */
const RARE = 1 / 1000
const SAMPLE = 4096

/** ASCII letters match in both cases, all other bytes exactly. */
function foldingFinder(needle: Buffer): TextFinder {
  const folded = Uint8Array.from(needle, fold)
  const skips = skipTable(folded)
  return {
    length: needle.length,
    over(text) {
      const rare = rarest(folded, text)
      return rare < 0
        ? from => skipSearch(text, from, folded, skips)
        : from => rareByteSearch(text, from, folded, rare)
    },
  }
}

const fold = (byte: number) => (byte >= 65 && byte <= 90 ? byte + 32 : byte)
const unfold = (byte: number) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => fold(byte))

function matchesAt(text: Uint8Array, at: number, folded: Uint8Array): boolean {
  for (let index = 0; index < folded.length; index++)
    if (FOLD[text[at + index]!] !== folded[index]) return false
  return true
}

/** Position in the needle of a byte that a sample of the text hardly has, or -1. */
function rarest(folded: Uint8Array, text: Uint8Array): number {
  if (text.length < 4 * SAMPLE) return -1
  const seen = new Uint16Array(256)
  for (let at = 0; at < SAMPLE; at++) seen[FOLD[text[at]!]!]!++
  let best = 0
  for (let index = 1; index < folded.length; index++)
    if (seen[folded[index]!]! < seen[folded[best]!]!) best = index
  return seen[folded[best]!]! < RARE * SAMPLE ? best : -1
}

function rareByteSearch(text: Buffer, from: number, folded: Uint8Array, index: number): number {
  const lower = folded[index]!
  const upper = unfold(lower)
  const last = text.length - folded.length
  let nextLower = text.indexOf(lower, from + index)
  let nextUpper = upper === lower ? -1 : text.indexOf(upper, from + index)
  while (nextLower >= 0 || nextUpper >= 0) {
    const lowerFirst = nextUpper < 0 || (nextLower >= 0 && nextLower < nextUpper)
    const at = (lowerFirst ? nextLower : nextUpper) - index
    if (at > last) return -1
    if (matchesAt(text, at, folded)) return at
    if (lowerFirst) nextLower = text.indexOf(lower, nextLower + 1)
    else nextUpper = text.indexOf(upper, nextUpper + 1)
  }
  return -1
}

/** Horspool's table: how far the needle may move by the byte under its last place; 0 where that byte fits. */
function skipTable(folded: Uint8Array): { skips: Uint16Array; shift: number } {
  const last = folded.length - 1
  const skips = new Uint16Array(256).fill(folded.length)
  const set = (byte: number, skip: number) => {
    skips[byte] = skip
    skips[unfold(byte)] = skip
  }
  for (let index = 0; index < last; index++) set(folded[index]!, last - index)
  const shift = skips[folded[last]!]!
  set(folded[last]!, 0)
  return { skips, shift }
}

function skipSearch(
  text: Uint8Array,
  from: number,
  folded: Uint8Array,
  { skips, shift }: { skips: Uint16Array; shift: number },
): number {
  const last = folded.length - 1
  let at = from + last
  while (at < text.length) {
    const skip = skips[text[at]!]!
    if (skip > 0) at += skip
    else if (matchesAt(text, at - last, folded)) return at - last
    else at += shift
  }
  return -1
}
