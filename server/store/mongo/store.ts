import type { Artifact } from '#protocol/artifact.ts'
import type { ApiKey } from '#protocol/auth.ts'
import type { Session } from '#protocol/session.ts'
import type { Task, TaskInput } from '#protocol/task.ts'
import type { Store } from '#server/store/store.ts'
import { createBlobs } from './blobs.ts'
import { type Connection, connect } from './client.ts'
import { createCollection } from './collection.ts'
import { logCollections } from './documents.ts'
import { guarded, isDuplicate, openingError, redacted } from './errors.ts'
import { migrate } from './migrate.ts'
import { createSegmentStore } from './segments.ts'
import type { Row } from './where.ts'

const CONNECTIONS = 50

/**
 * The store of several servers at once.
 * @param url `mongodb://` or `mongodb+srv://`; without the name of a database it is `keruta`
 * @throws KerutaError STORE_UNAVAILABLE where it cannot be used, CONFLICT where the database holds other data or is of a newer version
 */
export async function openMongoStore(url: string): Promise<Store> {
  const connection = await connect(url, CONNECTIONS)
  try {
    return await openIn(connection, url)
  } catch (error) {
    await connection.client.close()
    throw openingError(error, url)
  }
}

async function openIn({ client, db }: Connection, url: string): Promise<Store> {
  await migrate(db, `${redacted(url).replace(/^(.*:\/\/[^/]*).*$/, '$1')}/${db.databaseName}`)
  const collection = <T extends { id: string }>(name: string) => createCollection<T>(db.collection<Row>(name))
  const { tidyAll, idle, ...segments } = createSegmentStore(logCollections(db))
  const pings = db.collection<Row>('pings')
  const ready = () =>
    guarded(
      async () =>
        void (await pings.updateOne({ _id: 'ready' }, { $set: { at: new Date() } }, { upsert: true })),
    )
  // Who may read but not write should learn so now.
  await pings.updateOne({ _id: 'open' }, { $set: { at: new Date() } }, { upsert: true })
  await tidyAll()
  return {
    sessions: collection<Session>('sessions'),
    tasks: collection<Task>('tasks'),
    apiKeys: collection<ApiKey>('apiKeys'),
    inputs: collection<TaskInput>('inputs'),
    artifacts: collection<Artifact>('artifacts'),
    blobs: createBlobs(db),
    segments: { ...segments, close: async () => undefined },
    sharedSecret: made =>
      guarded(async () => {
        const insert = { $setOnInsert: { value: made } }
        const secrets = db.collection<{ _id: string; value: string }>('secrets')
        // Of two that make it at once one is refused, and finds the other's.
        await secrets.updateOne({ _id: 'tokens' }, insert, { upsert: true }).catch(error => {
          if (!isDuplicate(error)) throw error
        })
        return (await secrets.findOne({ _id: 'tokens' }))!.value
      }),
    ready,
    async close() {
      await idle()
      await client.close()
    },
  }
}
