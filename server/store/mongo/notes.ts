import type { Collection, Db } from 'mongodb'
import type { CopyMark } from '#server/store/store.ts'
import { isDuplicate } from './errors.ts'

interface Secret {
  _id: 'tokens'
  value: string
}
type Mark = CopyMark & { _id: 'copy' }

const secretsOf = (db: Db): Collection<Secret> => db.collection('secrets')
const marksOf = (db: Db): Collection<Mark> => db.collection('marks')

export async function readSecret(db: Db): Promise<string | undefined> {
  return (await secretsOf(db).findOne({ _id: 'tokens' }))?.value
}

/** Unless there is one. @returns the one that is there */
export async function keepSecret(db: Db, made: string): Promise<string> {
  const insert = { $setOnInsert: { value: made } }
  // Of two that make it at once one is refused, and finds the other's.
  await secretsOf(db)
    .updateOne({ _id: 'tokens' }, insert, { upsert: true })
    .catch(error => {
      if (!isDuplicate(error)) throw error
    })
  return (await readSecret(db))!
}

export async function readCopyMark(db: Db): Promise<CopyMark | undefined> {
  const mark = await marksOf(db).findOne({ _id: 'copy' })
  return mark ? { from: mark.from, done: mark.done } : undefined
}

export async function writeCopyMark(db: Db, mark: CopyMark | undefined): Promise<void> {
  if (mark) await marksOf(db).updateOne({ _id: 'copy' }, { $set: mark }, { upsert: true })
  else await marksOf(db).deleteOne({ _id: 'copy' })
}
