import type { Collection, Find } from '#server/store/store.ts'
import { storeError } from './errors.ts'
import { prismaWhere } from './where.ts'

type Row = Record<string, unknown>

/** The part of a Prisma model's delegate that a collection is made of. */
export interface Delegate {
  findUnique(query: { where: { id: string } }): Promise<Row | null>
  findMany(query: { where?: Row; orderBy: Row[]; take?: number; skip?: number }): Promise<Row[]>
  count(query: { where?: Row }): Promise<number>
  groupBy(query: {
    by: string[]
    where?: Row
    _count: { _all: true }
  }): Promise<(Row & { _count: { _all: number } })[]>
  create(query: { data: Row }): Promise<Row>
  updateMany(query: { where: Row; data: Row }): Promise<{ count: number }>
  deleteMany(query: { where: Row }): Promise<{ count: number }>
}

/** @param json names of the fields that are kept as JSON text */
export function createCollection<T extends { id: string }>(
  delegate: Delegate,
  json: (keyof T & string)[],
): Collection<T> {
  const toRow = (document: Partial<T>): Row => {
    const row: Row = { ...document }
    for (const field of json) if (row[field] != null) row[field] = JSON.stringify(row[field])
    return row
  }
  const toDocument = (row: Row): T => {
    const document = { ...row }
    for (const field of json) if (row[field] !== null) document[field] = JSON.parse(row[field] as string)
    return document as T
  }
  return {
    async get(id) {
      const row = await guarded(delegate.findUnique({ where: { id } }))
      return row ? toDocument(row) : undefined
    },
    async find({ where, orderBy = [], limit, offset }: Find<T> = {}) {
      const order = orderBy.map(([field, direction]) => ({ [field]: direction }))
      const rows = await guarded(
        delegate.findMany({
          where: prismaWhere(where),
          orderBy: [...order, { id: 'asc' }],
          take: limit,
          skip: offset,
        }),
      )
      return rows.map(toDocument)
    },
    count: where => guarded(delegate.count({ where: prismaWhere(where) })),
    async countBy(field, where) {
      const groups = await guarded(
        delegate.groupBy({ by: [field], where: prismaWhere(where), _count: { _all: true } }),
      )
      return Object.fromEntries(groups.map(group => [String(group[field]), group._count._all]))
    },
    async insert(document) {
      try {
        await delegate.create({ data: toRow(document) })
        return true
      } catch (error) {
        if ((error as { code?: unknown }).code === 'P2002') return false
        throw storeError(error)
      }
    },
    async update(where, patch) {
      return (await guarded(delegate.updateMany({ where: prismaWhere(where), data: toRow(patch) }))).count
    },
    async remove(where) {
      return (await guarded(delegate.deleteMany({ where: prismaWhere(where) }))).count
    },
  }
}

async function guarded<R>(call: Promise<R>): Promise<R> {
  try {
    return await call
  } catch (error) {
    throw storeError(error)
  }
}
