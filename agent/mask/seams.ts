const ESCAPE = 0x1b
const BRACKET = 0x5b
/** No escape sequence that is meant is longer. */
const MAX_SEQUENCE = 33

/** A sequence that the text ends within. */
export const UNFINISHED = -1

/**
 * What may interrupt a secret without making it another: line ends and ANSI control sequences.
 * @returns where the seam that begins at `at` ends; `at` where none does, `UNFINISHED` where only more text will tell
 */
export function seamEnd(text: Uint8Array, at: number): number {
  const byte = text[at]!
  if (isLineEnd(byte)) return at + 1
  if (byte !== ESCAPE) return at
  if (at + 1 === text.length) return UNFINISHED
  if (text[at + 1] !== BRACKET) return at
  const limit = Math.min(text.length, at + MAX_SEQUENCE)
  for (let end = at + 2; end < limit; end++) {
    const next = text[end]!
    if (next >= 0x40 && next <= 0x7e) return end + 1
    if (next < 0x20 || next > 0x3f) return at
  }
  return limit === text.length && limit < at + MAX_SEQUENCE ? UNFINISHED : at
}

/** Where a text begins that has `count` bytes up to `end`, seams left out, but not before `floor`. */
export function stepBack(text: Uint8Array, end: number, count: number, floor: number): number {
  let left = count
  let at = end
  while (left > 0 && at > floor) {
    const seam = seamBefore(text, at, left, floor)
    if (seam === undefined) return Math.max(floor, at - left)
    left -= at - seam.end
    at = left === 0 ? seam.end : seam.start
  }
  return Math.max(floor, at)
}

/**
 * Where what stands before `end` begins that has fewer than `piece` bytes in a row: it may begin a secret and has nothing in it that
 * can be found quickly.
 */
export function tailStart(text: Uint8Array, piece: number, most: number, floor: number): number {
  let left = most
  let at = text.length
  while (left > 0 && at > floor) {
    const seam = seamBefore(text, at, piece - 1, floor)
    if (seam === undefined) return Math.max(floor, at - piece + 1)
    left -= at - seam.end
    at = seam.start
  }
  return Math.max(floor, at)
}

/** Whether an escape sequence that begins at `floor` or behind it goes on at `at`. */
export function isWithinSeam(text: Uint8Array, at: number, floor: number): boolean {
  const least = Math.max(floor, at - MAX_SEQUENCE)
  for (let start = at - 1; start >= least; start--) {
    if (text[start] !== ESCAPE) continue
    const end = seamEnd(text, start)
    return end === UNFINISHED || end > at
  }
  return false
}

/** Bytes of `from` … `to - 1`, seams left out. */
export function lengthWithoutSeams(text: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; ) {
    const end = seamEnd(text, at)
    if (end === UNFINISHED) break
    if (end === at) count++
    at = Math.max(end, at + 1)
  }
  return count
}

function isLineEnd(byte: number): boolean {
  return byte === 10 || byte === 13
}

/** The last seam before `end` that leaves at most `reach` bytes behind it. */
function seamBefore(
  text: Uint8Array,
  end: number,
  reach: number,
  floor: number,
): { start: number; end: number } | undefined {
  const least = Math.max(floor, end - reach - MAX_SEQUENCE)
  for (let at = end - 1; at >= least; at--) {
    const byte = text[at]!
    if (byte !== ESCAPE && !isLineEnd(byte)) continue
    const after = seamEnd(text, at)
    const found = after === UNFINISHED ? text.length : after
    if (found > at && found <= end) return end - found <= reach ? { start: at, end: found } : undefined
  }
  return undefined
}
