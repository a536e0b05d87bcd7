import { tamed } from './tame.ts'

/** Columns that a text takes on a terminal: East Asian wide characters and emoji take two, marks none. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const { segment } of GRAPHEMES.segment(text))
    width += WIDE.test(segment) ? 2 : MARKS.test(segment) ? 0 : 1
  return width
}

/** The text in so many columns: filled up with spaces, or cut with an ellipsis. */
export function fitted(text: string, columns: number): string {
  const width = displayWidth(text)
  if (width <= columns) return text + ' '.repeat(columns - width)
  let cut = ''
  let taken = 0
  for (const { segment } of GRAPHEMES.segment(text)) {
    const wide = displayWidth(segment)
    if (taken + wide > columns - 1) break
    cut += segment
    taken += wide
  }
  return `${cut}…${' '.repeat(columns - 1 - taken)}`
}

/** What somebody has named, as a part of one line: without line ends, tabs and sequences that move the cursor. */
export function oneLine(text: string): string {
  return tamed(text, false).replace(/\s+/g, ' ').trim()
}

/** `1 task`, `2 tasks`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

const GRAPHEMES = new Intl.Segmenter()
const PLAIN = /^[\x20-\x7e]*$/
const MARKS = /^(?:\p{M}|\p{Cf}|\p{Variation_Selector})+$/u
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u
