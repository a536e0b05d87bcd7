import { displayWidth, fitted, oneLine } from './show/text.ts'

const GAP = 2
const LEAST_COLUMNS = 8
const LEAST_NAME_COLUMNS = 12

/** How a cell is coloured, once it is as wide as it will be. */
export type Paint = (column: string, value: string, cell: string) => string

/**
 * Rows under a heading: aligned, and where that is wider than the terminal, the widest columns cut with an ellipsis. For a pipe the
 * cells stand whole between tabs, so that `cut` and `awk -F'\t'` find them.
 * @param width of the terminal; `undefined` for a pipe
 * @param paint for a terminal with colours
 * @param spare columns that are left out of a terminal, the first one first, before any but the last is cut
 */
export function table(
  rows: Record<string, string>[],
  columns: string[],
  width: number | undefined,
  paint: Paint = (_column, _value, cell) => cell,
  spare: string[] = [],
): string {
  const next = spare.find(column => columns.includes(column))
  if (width !== undefined && next !== undefined && leastWidth(rows, columns) > width) {
    const others = columns.filter(column => column !== next)
    return table(rows, others, width, paint, spare)
  }
  const cells = rows.map(row => columns.map(column => oneLine(row[column] ?? '')))
  const all = [columns.map(column => column.toUpperCase()), ...cells]
  if (width === undefined) return all.map(row => row.join('\t')).join('\n')
  const widths = narrowed(
    columns.map((_, index) => Math.max(...all.map(row => displayWidth(row[index]!)))),
    width - GAP * (columns.length - 1),
  )
  return all
    .map((row, line) =>
      row
        .map((value, index) => {
          const isLast = index === row.length - 1 && displayWidth(value) <= widths[index]!
          const cell = isLast ? value : fitted(value, widths[index]!)
          return line === 0 ? cell : paint(columns[index]!, value, cell)
        })
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
    .join('\n')
}

/** What is known of one thing: its fields and their values, without a heading. */
export function details(
  rows: { field: string; value: string }[],
  width: number | undefined,
  paint?: Paint,
): string {
  const whole = table(rows, ['field', 'value'], width, paint)
  return whole.slice(whole.indexOf('\n') + 1)
}

/** What the columns take where only the last one is cut. */
function leastWidth(rows: Record<string, string>[], columns: string[]): number {
  const widths = columns.map(column =>
    Math.max(column.length, ...rows.map(row => displayWidth(oneLine(row[column] ?? '')))),
  )
  const last = Math.min(widths.pop() ?? 0, LEAST_NAME_COLUMNS)
  return sum(widths) + last + GAP * widths.length
}

/** The widest columns give way first, none below a least width; the first one, by which a row is known, last of all. */
function narrowed(wanted: number[], room: number): number[] {
  const widths = [...wanted]
  for (let over = sum(widths) - room; over > 0; over--) {
    const others = widths.slice(1)
    const widest = Math.max(...others)
    const at = widest > LEAST_COLUMNS ? 1 + others.indexOf(widest) : 0
    if (widths[at]! <= LEAST_COLUMNS) break
    widths[at] = widths[at]! - 1
  }
  return widths
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
