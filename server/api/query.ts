import { z } from '@hono/zod-openapi'
import { LEVELS, SOURCES } from '#protocol/log.ts'
import { logFilterShape } from '#protocol/log-filter.ts'

/** Read by authentication; for links and EventSource, which cannot set headers. */
const TOKEN = {
  token: z.string().optional().meta({ description: 'An API key or JWT, where no header can be set' }),
}

/** A query that takes these parameters and no others; an unknown one is answered with the nearest that exists. */
export function queryOf<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(
    { ...shape, ...TOKEN },
    {
      error: issue =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map(key => unknownParameter(key, known)).join('\n')
          : undefined,
    },
  )
}

/** What the document says of a list parameter, which the schema's own preparation of it hides. */
export function listed<T extends z.ZodType>(list: T, values?: readonly string[]): T {
  return list.meta({ type: 'array', items: { type: 'string', ...(values && { enum: [...values] }) } })
}

export const filterParameters = {
  ...logFilterShape,
  source: listed(logFilterShape.source, SOURCES),
  level: listed(logFilterShape.level, LEVELS),
  minLevel: logFilterShape.minLevel.meta({ enum: [...LEVELS] }),
}

function unknownParameter(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map(name => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const name = JSON.stringify(key.slice(0, 100))
  if (nearest && nearest.distance <= Math.max(2, nearest.name.length / 3))
    return `unknown parameter ${name}; did you mean "${nearest.name}"?`
  return `unknown parameter ${name}; ${known.length > 0 ? `known are ${known.join(', ')}` : 'there are none here'}`
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
