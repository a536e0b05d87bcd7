import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Collection, Db } from 'mongodb'
import { KerutaError } from '#protocol/errors.ts'
import { isDuplicate, unavailable } from './errors.ts'
import { type Migration, migrations } from './migrations.ts'

/** The one document that says whose database this is, of which version, and who is changing it. */
interface Schema {
  _id: 'schema'
  version: number
  applied: { version: number; name: string; at: Date }[]
  lockOwner?: string
  lockUntil?: Date
}

const COLLECTION = 'keruta'
/** Building an index over much data takes minutes; who builds says every third of this that it is alive. */
const LEASE_MS = 30_000
const PATIENCE_MS = 15 * 60_000
const LOOK_AGAIN_MS = 100

/**
 * Brings the database to the newest version, one server at a time.
 * @param place of the database, for messages
 * @throws KerutaError CONFLICT where it holds other data, or is newer than this program
 */
export async function migrate(db: Db, place: string, known: Migration[] = migrations): Promise<void> {
  const schemas = db.collection<Schema>(COLLECTION)
  const schema = await schemas.findOne({ _id: 'schema' })
  if (!schema) await refuseForeign(db, place)
  if (schema?.version === known.length) return
  const lease = await takeLock(schemas)
  const renewing = setInterval(() => void lease.renew().catch(() => undefined), LEASE_MS / 3)
  try {
    const { version = 0 } = (await schemas.findOne({ _id: 'schema' })) ?? {}
    if (version > known.length)
      throw new KerutaError(
        'CONFLICT',
        `the database ${place} has version ${version}, made by a newer keruta; this one knows up to version ${known.length}. ` +
          'Start the newer keruta, or name another database.',
      )
    for (const [index, { name, run }] of known.entries()) {
      if (index < version) continue
      await run(db)
      const applied = { version: index + 1, name, at: new Date() }
      await schemas.updateOne({ _id: 'schema' }, { $set: { version: index + 1 }, $push: { applied } })
    }
  } finally {
    clearInterval(renewing)
    await lease.giveBack()
  }
}

/** Before it is read without being brought up to date. @throws KerutaError CONFLICT */
export async function refuseOtherVersion(db: Db, place: string): Promise<void> {
  const schema = await db.collection<Schema>(COLLECTION).findOne({ _id: 'schema' })
  if (!schema) {
    await refuseForeign(db, place)
    throw new KerutaError('CONFLICT', `the database ${place} holds no keruta data`)
  }
  if (schema.version === migrations.length) return
  const cure =
    schema.version < migrations.length
      ? 'start this keruta once on it, which brings it up to date'
      : 'use the newer keruta that made it'
  throw new KerutaError(
    'CONFLICT',
    `the database ${place} has version ${schema.version}, this keruta reads version ${migrations.length}: ${cure}`,
  )
}

async function refuseForeign(db: Db, place: string): Promise<void> {
  const collections = await db.listCollections({}, { nameOnly: true }).toArray()
  const names = collections.map(({ name }) => name).filter(name => !name.startsWith('system.'))
  // Another server may have begun just now.
  if (names.length === 0 || names.includes(COLLECTION)) return
  const some = names.sort().slice(0, 3).join(', ')
  throw new KerutaError(
    'CONFLICT',
    `the database ${place} holds other data (${some}${names.length > 3 ? ', …' : ''}): name one of its own, as in mongodb://host/keruta`,
  )
}

async function takeLock(schemas: Collection<Schema>) {
  const lockOwner = randomUUID()
  const lockUntil = () => new Date(Date.now() + LEASE_MS)
  const free = { $or: [{ lockOwner: { $exists: false } }, { lockUntil: { $lt: new Date() } }] }
  const change = () => ({
    $set: { lockOwner, lockUntil: lockUntil() },
    $setOnInsert: { version: 0, applied: [] },
  })
  for (const startedAt = Date.now(); ; ) {
    free.$or[1] = { lockUntil: { $lt: new Date() } }
    try {
      await schemas.updateOne({ _id: 'schema', ...free }, change(), { upsert: true })
      break
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    if (Date.now() - startedAt > PATIENCE_MS)
      throw unavailable('another server has been preparing the database for too long: look at that one first')
    await pause(LOOK_AGAIN_MS)
  }
  const mine = { _id: 'schema' as const, lockOwner }
  return {
    renew: () => schemas.updateOne(mine, { $set: { lockUntil: lockUntil() } }),
    giveBack: () => schemas.updateOne(mine, { $unset: { lockOwner: 1, lockUntil: 1 } }),
  }
}
