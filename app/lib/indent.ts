/** A change of a text: what lies between `from` and `to` becomes `text`; then this is selected. */
export interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly selectionStart: number
  readonly selectionEnd: number
}

const STEP = '  '
const LEAD = /^(?: {1,2}|\t)/

/** Tab: two spaces where the cursor is, or before each line that the selection touches. */
export function indented(text: string, start: number, end: number): Edit {
  if (start === end) {
    const after = start + STEP.length
    return { from: start, to: end, text: STEP, selectionStart: after, selectionEnd: after }
  }
  return lineByLine(text, start, end, line => STEP + line)
}

/** Shift and Tab: up to two spaces, or a tab, less before each line that the selection touches. */
export const outdented = (text: string, start: number, end: number): Edit =>
  lineByLine(text, start, end, line => line.replace(LEAD, ''))

function lineByLine(text: string, start: number, end: number, change: (line: string) => string): Edit {
  const from = text.lastIndexOf('\n', start - 1) + 1
  // A line that the selection ends before is not touched.
  const last = end > start && text[end - 1] === '\n' ? end - 1 : end
  const newline = text.indexOf('\n', last)
  const to = newline < 0 ? text.length : newline
  const lines = text.slice(from, to).split('\n')
  const changed = lines.map(change)
  const first = (changed[0]?.length ?? 0) - (lines[0]?.length ?? 0)
  const all = changed.join('\n')
  const grown = all.length - (to - from)
  return {
    from,
    to,
    text: all,
    selectionStart: Math.max(from, start + first),
    selectionEnd: Math.max(from, end + grown),
  }
}
