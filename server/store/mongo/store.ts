import type { Db } from 'mongodb'
import type { Artifact } from '#protocol/artifact.ts'
import type { ApiKey } from '#protocol/auth.ts'
import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import type { TaskInput } from '#protocol/task-calls.ts'
import type { Store, StoreReader } from '#server/store/store.ts'
import { createBlobs } from './blobs.ts'
import { type Connection, connect } from './client.ts'
import { createCollection } from './collection.ts'
import { logCollections } from './documents.ts'
import { guarded, openingError, redacted } from './errors.ts'
import { migrate, refuseOtherVersion } from './migrate.ts'
import { keepSecret, readCopyMark, readSecret, writeCopyMark } from './notes.ts'
import { createReader } from './reader.ts'
import { createSegmentStore } from './segments.ts'
import type { Row } from './where.ts'

const CONNECTIONS = 50
const READING_CONNECTIONS = 10

/**
 * The store of several servers at once.
 * @param url `mongodb://` or `mongodb+srv://`; without the name of a database it is `keruta`
 * @throws KerutaError STORE_UNAVAILABLE where it cannot be used, CONFLICT where the database holds other data or is of a newer version
 */
export async function openMongoStore(url: string): Promise<Store> {
  const connection = await connect(url, CONNECTIONS, 'readWrite')
  try {
    return await openIn(connection, url)
  } catch (error) {
    await connection.client.close()
    throw openingError(error, url, 'readWrite')
  }
}

/**
 * What can be read of a database while servers work on it, or none; reading it is all the user must be allowed to do.
 * @throws KerutaError as `openMongoStore`, and CONFLICT where the database is older
 */
export async function openMongoStoreReader(url: string): Promise<StoreReader> {
  const { client, db } = await connect(url, READING_CONNECTIONS, 'read')
  try {
    await refuseOtherVersion(db, placeOf(url, db))
    return {
      ...collections(db),
      blobs: createBlobs(db),
      segments: { ...createReader(logCollections(db)), close: async () => undefined },
      secret: () => guarded(() => readSecret(db)),
      copyMark: () => guarded(() => readCopyMark(db)),
      close: () => client.close(),
    }
  } catch (error) {
    await client.close()
    throw openingError(error, url, 'read')
  }
}

async function openIn({ client, db }: Connection, url: string): Promise<Store> {
  await migrate(db, placeOf(url, db))
  const { tidyAll, idle, ...segments } = createSegmentStore(logCollections(db))
  const pings = db.collection<Row>('pings')
  const ping = (_id: string) => pings.updateOne({ _id }, { $set: { at: new Date() } }, { upsert: true })
  // Who may read but not write should learn so now.
  await ping('open')
  await tidyAll()
  return {
    ...collections(db),
    blobs: createBlobs(db),
    segments: { ...segments, close: async () => undefined },
    secret: () => guarded(() => readSecret(db)),
    sharedSecret: made => guarded(() => keepSecret(db, made)),
    copyMark: () => guarded(() => readCopyMark(db)),
    setCopyMark: mark => guarded(() => writeCopyMark(db, mark)),
    ready: () => guarded(async () => void (await ping('ready'))),
    async close() {
      await idle()
      await client.close()
    },
  }
}

function collections(db: Db) {
  const collection = <T extends { id: string }>(name: string) => createCollection<T>(db.collection<Row>(name))
  return {
    sessions: collection<Session>('sessions'),
    tasks: collection<Task>('tasks'),
    apiKeys: collection<ApiKey>('apiKeys'),
    inputs: collection<TaskInput>('inputs'),
    artifacts: collection<Artifact>('artifacts'),
  }
}

function placeOf(url: string, db: Db): string {
  return `${redacted(url).replace(/^(.*:\/\/[^/]*).*$/, '$1')}/${db.databaseName}`
}
