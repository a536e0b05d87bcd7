import type { Filter } from 'mongodb'
import type { Where } from '#server/store/store.ts'

export type Row = { _id: string } & Record<string, unknown>

const OPERATORS: Record<string, string> = {
  in: '$in',
  not: '$ne',
  gt: '$gt',
  gte: '$gte',
  lt: '$lt',
  lte: '$lte',
}

/** The port's filter in MongoDB's words. `$ne` includes null there, as the port wants it. */
export function mongoFilter<T>(where: Where<T> = {}): Filter<Row> {
  const conditions = Object.entries(where).filter(([, condition]) => condition !== undefined)
  return Object.fromEntries(
    conditions.map(([field, condition]) => [field === 'id' ? '_id' : field, operators(condition)]),
  )
}

function operators(condition: unknown): unknown {
  if (typeof condition !== 'object' || condition === null) return { $eq: condition }
  const words = Object.entries(condition).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    words.map(([word, value]) =>
      word === 'contains' ? ['$regex', literalPattern(String(value))] : [OPERATORS[word]!, value],
    ),
  )
}

/** The server's own `i` would compare other letters than A to Z in any case, too. */
export function literalPattern(text: string): string {
  return text
    .replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    .replaceAll('\u0000', '\\x00')
    .replace(/[A-Za-z]/g, letter => `[${letter.toUpperCase()}${letter.toLowerCase()}]`)
    .replaceAll('\\[Xx]00', '\\x00')
}
