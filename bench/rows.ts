/** One line of the table. `ratio` is measured against the bare loop of the same run. */
export interface Row {
  what: string
  measured: number
  unit: string
  bare?: number
  bareWhat?: string
  /** As a person reads it. */
  goal: string
  ok: boolean
  note?: string
}

export function printTable(rows: Row[]): void {
  const head = ['work', 'measured', 'bare loop', 'ratio', 'goal', '']
  const body = rows.map(row => [
    row.what,
    `${figure(row.measured)} ${row.unit}`,
    row.bare === undefined ? '' : `${figure(row.bare)} (${row.bareWhat})`,
    row.bare === undefined ? '' : `${(row.measured / row.bare).toFixed(2)} ×`,
    row.goal,
    row.ok ? 'reached' : 'MISSED',
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...body].map(cells => cells[column]!.length)))
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  console.log(line(head))
  console.log(`|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`)
  for (const cells of body) console.log(line(cells))
  for (const { what, note } of rows) if (note) console.log(`${what}: ${note}`)
}

export function figure(value: number): string {
  if (value >= 10_000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
  if (value >= 100) return String(Math.round(value))
  return value.toFixed(value >= 10 ? 1 : 2)
}
