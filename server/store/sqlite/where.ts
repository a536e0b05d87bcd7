import type { Where } from '#server/store/store.ts'
import { cleanText } from './clean-text.ts'

export type PrismaWhere = Record<string, unknown>

/**
 * The port's filter in Prisma's words.
 * @param nullable fields that may be null: SQL alone would leave those out of `not`
 */
export function prismaWhere<T>(where: Where<T>, nullable: ReadonlySet<string>): { AND: PrismaWhere[] } {
  const conditions = Object.entries(where).filter(([, condition]) => condition !== undefined)
  return { AND: conditions.map(([field, condition]) => fieldWhere(field, condition, nullable.has(field))) }
}

function fieldWhere(field: string, condition: unknown, nullable: boolean): PrismaWhere {
  if (typeof condition !== 'object' || condition === null) return { [field]: clean(condition) }
  const orNull = (rest: PrismaWhere) => ({ OR: [rest, { [field]: null }] })
  if ('in' in condition) {
    const values = condition.in as unknown[]
    const some = { [field]: { in: values.filter(value => value !== null).map(clean) } }
    return values.includes(null) ? orNull(some) : some
  }
  const cleaned = Object.fromEntries(Object.entries(condition).map(([word, value]) => [word, clean(value)]))
  const rest = { [field]: cleaned }
  return nullable && 'not' in condition && condition.not !== null ? orNull(rest) : rest
}

const clean = (value: unknown) => (typeof value === 'string' ? cleanText(value) : value)
