/**
 * Rows as aligned columns under a heading. Where it is wider than the terminal, the widest columns are cut with an ellipsis.
 * @param width of the terminal; `undefined` for no bound (a pipe)
 */
export function table(rows: Record<string, string>[], columns: string[], width: number | undefined): string {
  const heading = Object.fromEntries(columns.map(column => [column, column.toUpperCase()]))
  const all = [heading, ...rows]
  const widths = columns.map(column => Math.max(...all.map(row => displayWidth(row[column] ?? ''))))
  const gaps = 2 * (columns.length - 1)
  while (width !== undefined && sum(widths) + gaps > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= 8) break
    widths[widest] = Math.max(8, widths[widest]! - (sum(widths) + gaps - width))
    const second = [...widths].sort((a, b) => b - a)[1] ?? 0
    if (widths[widest]! < second) widths[widest] = Math.max(8, second - 1)
  }
  const line = (row: Record<string, string>) =>
    columns
      .map((column, index) => fitted(row[column] ?? '', widths[index]!))
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}

function fitted(text: string, width: number): string {
  if (displayWidth(text) <= width) return text + ' '.repeat(width - displayWidth(text))
  let cut = ''
  for (const char of text) {
    if (displayWidth(cut + char) > width - 1) break
    cut += char
  }
  return `${cut}…${' '.repeat(Math.max(0, width - 1 - displayWidth(cut)))}`
}

/** Columns on a terminal: East Asian wide characters take two. */
function displayWidth(text: string): number {
  let width = 0
  for (const char of text)
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
        char,
      )
        ? 2
        : 1
  return width
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
