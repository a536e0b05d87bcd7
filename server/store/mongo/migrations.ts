import type { Db } from 'mongodb'
import { HEADER_FIELDS, HEADER_INDEX, RECENT_INDEX } from './documents.ts'

/** In their order for ever. Each may be done twice, because a server may die in the middle of one. */
export interface Migration {
  name: string
  run(db: Db): Promise<void>
}

/** Longer than any server trusts what it knows of a log. */
const MARKS_STAY_SECONDS = 3600

export const migrations: Migration[] = [
  {
    name: 'init',
    async run(db) {
      await db.collection('sessions').createIndex({ createdAt: -1, _id: 1 })
      await db
        .collection('tasks')
        .createIndexes([
          { key: { createdAt: -1, _id: 1 } },
          { key: { sessionId: 1, status: 1 } },
          { key: { status: 1, createdAt: 1 } },
        ])
      await db.collection('apiKeys').createIndex({ hash: 1 })
      await db.collection('streams').createIndex({ taskId: 1 })
      await db.collection('segments').createIndexes([
        // Headers and sums are answered from this alone; the documents, with their bodies, stay on the disk.
        { name: HEADER_INDEX, key: new Map(HEADER_FIELDS.map(field => [field, 1])) },
        { name: RECENT_INDEX, key: { maxAt: -1, taskId: 1, firstSeq: -1, minAt: 1 } },
        { name: 'raw', key: { codec: 1, taskId: 1 }, partialFilterExpression: { codec: 'raw' } },
        { name: 'gone', key: { goneAt: 1 }, expireAfterSeconds: MARKS_STAY_SECONDS },
        { name: 'busy', key: { busy: 1 }, partialFilterExpression: { busy: 1 } },
      ])
    },
  },
  {
    name: 'agent',
    async run(db) {
      const tasks = db.collection('tasks')
      const fresh = { leaseUntil: null, interactive: false, waitingForInput: null, autoFixOf: null }
      await tasks.updateMany(
        { leaseUntil: { $exists: false } },
        { $set: { ...fresh, autoFixChain: [], steps: [], metrics: [] } },
      )
      await tasks.createIndexes([
        { key: { sessionId: 1, status: 1, priority: -1, createdAt: 1, _id: 1 } },
        { key: { status: 1, leaseUntil: 1 } },
        { key: { autoFixOf: 1 } },
      ])
      await db.collection('inputs').createIndex({ taskId: 1 })
      await db.collection('artifacts').createIndex({ taskId: 1, path: 1 })
    },
  },
  {
    name: 'blobs',
    async run(db) {
      // As GridFS' own clients make them.
      await db.collection('artifacts.files').createIndex({ filename: 1, uploadDate: 1 })
      await db.collection('artifacts.chunks').createIndex({ files_id: 1, n: 1 }, { unique: true })
    },
  },
  {
    name: 'runs',
    async run(db) {
      await db.collection('tasks').createIndex({ agentId: 1, status: 1 })
    },
  },
]
