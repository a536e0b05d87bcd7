import type { z } from 'zod'
import type { Collection, Find, Where } from '#server/store/store.ts'
import { cleanText } from './clean-text.ts'
import { storeError } from './errors.ts'
import { containsText, wildcards } from './literal-text.ts'
import { type PrismaWhere, prismaWhere } from './where.ts'

type Row = Record<string, unknown>

/** The part of a Prisma model's delegate that a collection is made of. */
export interface Delegate {
  findUnique(query: { where: { id: string } }): Promise<Row | null>
  findMany(query: {
    where: PrismaWhere
    orderBy?: Row[]
    take?: number
    skip?: number
    select?: Record<string, true>
    omit?: Record<string, true>
  }): Promise<Row[]>
  count(query: { where: PrismaWhere }): Promise<number>
  groupBy(query: {
    by: string[]
    where: PrismaWhere
    _count: { _all: true }
  }): Promise<(Row & { _count: { _all: number } })[]>
  create(query: { data: Row }): Promise<Row>
  updateMany(query: { where: PrismaWhere; data: Row }): Promise<{ count: number }>
  deleteMany(query: { where: PrismaWhere }): Promise<{ count: number }>
}

/**
 * @param schema of the entity
 * @param json names of the fields that are kept as JSON text
 */
export function createCollection<T extends { id: string }>(
  delegate: Delegate,
  schema: z.ZodObject,
  json: (keyof T & string)[],
): Collection<T> {
  const nullable = new Set(Object.keys(schema.shape).filter(field => isNullable(schema, field)))
  const whereOf = async (where: Where<T> = {}): Promise<PrismaWhere> => {
    const wanted = prismaWhere(where, nullable)
    const literal = wildcards(where)
    if (literal.length === 0) return wanted
    const select = Object.fromEntries(
      ['id', ...literal.map(([field]) => field)].map(field => [field, true as const]),
    )
    const found = await delegate.findMany({ where: wanted, select })
    const ids = found
      .filter(row => literal.every(([field, text]) => containsText(row[field], text)))
      .map(row => row.id)
    return { AND: [...wanted.AND, { id: { in: ids } }] }
  }

  const findRows = async ({ where, orderBy = [], limit, offset }: Find<T>, omit?: Record<string, true>) => {
    const order = [...orderBy.map(([field, direction]) => ({ [field]: direction })), { id: 'asc' }]
    const page = { orderBy: order, take: limit, skip: offset, omit }
    return delegate.findMany({ where: await whereOf(where), ...page })
  }

  return {
    async get(id) {
      const row = await guarded(() => delegate.findUnique({ where: { id: cleanText(id) } }))
      return row ? toDocument<T>(row, json) : undefined
    },
    find: (query = {}) => guarded(async () => (await findRows(query)).map(row => toDocument<T>(row, json))),
    findWithout: (fields, query) =>
      guarded(async () => {
        const omit = Object.fromEntries(fields.map(field => [field, true as const]))
        const kept = json.filter(field => !(fields as readonly string[]).includes(field))
        return (await findRows(query, omit)).map(row => toDocument(row, kept))
      }),
    count: where => guarded(async () => delegate.count({ where: await whereOf(where) })),
    countBy: (field, where) =>
      guarded(async () => {
        const query = { by: [field], where: await whereOf(where), _count: { _all: true as const } }
        const groups = await delegate.groupBy(query)
        return Object.fromEntries(groups.map(group => [String(group[field]), group._count._all]))
      }),
    async insert(document) {
      try {
        await delegate.create({ data: toRow(document, json) })
        return true
      } catch (error) {
        if ((error as { code?: unknown }).code === 'P2002') return false
        throw storeError(error)
      }
    },
    update: (where, patch) =>
      guarded(async () => {
        const change = { where: await whereOf(where), data: toRow(patch, json) }
        return (await delegate.updateMany(change)).count
      }),
    remove: where => guarded(async () => (await delegate.deleteMany({ where: await whereOf(where) })).count),
  }
}

function isNullable(schema: z.ZodObject, field: string): boolean {
  const type = schema.shape[field] as z.ZodType
  return type.safeParse(null).success
}

function toRow<T>(document: Partial<T>, json: string[]): Row {
  const row: Row = { ...document }
  for (const [field, value] of Object.entries(row)) {
    if (json.includes(field)) row[field] = value == null ? value : JSON.stringify(value)
    else if (typeof value === 'string') row[field] = cleanText(value)
  }
  return row
}

function toDocument<T>(row: Row, json: string[]): T {
  const document = { ...row }
  for (const field of json) if (row[field] !== null) document[field] = JSON.parse(row[field] as string)
  return document as T
}

async function guarded<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call()
  } catch (error) {
    throw storeError(error)
  }
}
