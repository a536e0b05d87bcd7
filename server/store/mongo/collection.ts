import type { Collection as MongoCollection } from 'mongodb'
import type { Collection, Find } from '#server/store/store.ts'
import { guarded, isDuplicate, storeError } from './errors.ts'
import { mongoFilter, type Row } from './where.ts'

/** Entities as documents, their `id` as `_id`. */
export function createCollection<T extends { id: string }>(rows: MongoCollection<Row>): Collection<T> {
  const findRows = async ({ where, orderBy = [], limit, offset = 0 }: Find<T>, fields: readonly string[]) => {
    if (limit === 0) return []
    const order = new Map<string, 1 | -1>()
    for (const [field, direction] of [...orderBy, ['id', 'asc'] as const]) {
      const name = field === 'id' ? '_id' : field
      if (!order.has(name)) order.set(name, direction === 'asc' ? 1 : -1)
    }
    const projection = Object.fromEntries(fields.map(field => [field, 0 as const]))
    const cursor = rows.find(mongoFilter(where), { projection }).sort(order).skip(offset)
    return (limit === undefined ? cursor : cursor.limit(limit)).toArray()
  }

  return {
    get: id =>
      guarded(async () => {
        const row = await rows.findOne({ _id: id })
        return row ? toEntity<T>(row) : undefined
      }),
    find: (query = {}) => guarded(async () => (await findRows(query, [])).map(toEntity<T>)),
    findWithout: (fields, query) =>
      // What is left has its id.
      guarded(async () => (await findRows(query, fields)).map(toEntity<T>)),
    count: where => guarded(() => rows.countDocuments(mongoFilter(where))),
    countBy: (field, where) =>
      guarded(async () => {
        const stages = [
          { $match: mongoFilter(where) },
          { $group: { _id: `$${field === 'id' ? '_id' : field}`, count: { $sum: 1 } } },
        ]
        const groups = await rows.aggregate<{ _id: unknown; count: number }>(stages).toArray()
        return Object.fromEntries(groups.map(({ _id, count }) => [String(_id), count]))
      }),
    async insert({ id, ...fields }) {
      try {
        await rows.insertOne({ _id: id, ...fields })
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw storeError(error)
      }
    },
    update: (where, { id: _, ...fields }) =>
      guarded(async () => {
        const filter = mongoFilter(where)
        if (Object.keys(fields).length === 0) return rows.countDocuments(filter)
        const change = { $set: fields as Partial<Row> }
        // The driver sends a change of one document again where its connection failed; of many it cannot.
        const one = typeof where.id === 'string'
        const { matchedCount } = one
          ? await rows.updateOne(filter, change)
          : await rows.updateMany(filter, change)
        return matchedCount
      }),
    remove: where =>
      guarded(async () => {
        const filter = mongoFilter(where)
        const one = typeof where.id === 'string'
        const { deletedCount } = one ? await rows.deleteOne(filter) : await rows.deleteMany(filter)
        return deletedCount
      }),
  }
}

function toEntity<T extends { id: string }>({ _id, ...fields }: Row): T {
  return { id: _id, ...fields } as unknown as T
}
