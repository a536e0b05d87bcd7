/** A variable as it is being written; `id` tells rows apart whose names are the same. */
export interface EnvRow {
  readonly id: number
  readonly name: string
  readonly value: string
}

let lastId = 0
export const envRow = (name = '', value = ''): EnvRow => ({ id: ++lastId, name, value })

export const rowsOf = (env: Record<string, string> | null | undefined): EnvRow[] =>
  Object.entries(env ?? {}).map(([name, value]) => envRow(name, value))

/** What is sent: rows without a name and a value are left out; null where nothing is left. */
export function envOf(rows: readonly EnvRow[]): Record<string, string> | null {
  const entries = rows
    .filter(row => row.name.trim() || row.value)
    .map(row => [row.name.trim(), row.value] as const)
  return entries.length > 0 ? Object.fromEntries(entries) : null
}

/** The name that stands in several rows: only the last would count. */
export function doubledName(rows: readonly EnvRow[]): string | undefined {
  const names = rows.map(row => row.name.trim()).filter(Boolean)
  return names.find((name, at) => names.indexOf(name) !== at)
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/

/** The variables of a pasted `.env` file; undefined where the text is none. Comments and empty lines are passed over. */
export function pastedRows(text: string): EnvRow[] | undefined {
  const lines = text.split(/\r?\n/).filter(line => line.trim() && !line.trim().startsWith('#'))
  const rows = lines.map(line => LINE.exec(line)).map(found => found && envRow(found[1], unquoted(found[2])))
  if (rows.length === 0 || rows.some(row => !row)) return undefined
  return rows.filter(row => row !== null)
}

function unquoted(value = ''): string {
  const trimmed = value.trim()
  const quoted = /^(["'])(.*)\1$/.exec(trimmed)
  return quoted?.[2] ?? trimmed
}
