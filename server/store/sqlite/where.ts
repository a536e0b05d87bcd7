import type { Where } from '#server/store/store.ts'

/** The port's filter in Prisma's words. */
export function prismaWhere<T>(where: Where<T> = {}): Record<string, unknown> {
  const conditions: Record<string, unknown>[] = []
  for (const [field, condition] of Object.entries(where) as [string, unknown][]) {
    if (condition !== undefined) conditions.push(fieldWhere(field, condition))
  }
  return { AND: conditions }
}

function fieldWhere(field: string, condition: unknown): Record<string, unknown> {
  if (typeof condition === 'object' && condition !== null && 'in' in condition) {
    const values = condition.in as unknown[]
    const some = { [field]: { in: values.filter(value => value !== null) } }
    return values.includes(null) ? { OR: [some, { [field]: null }] } : some
  }
  return { [field]: condition }
}
