import { type Db, MongoClient, type MongoClientOptions } from 'mongodb'
import { openingError } from './errors.ts'

/** The database where the URL names none. */
const DATABASE = 'keruta'

const options: MongoClientOptions = {
  appName: 'keruta',
  ignoreUndefined: true,
  // What was acknowledged outlives the loss of any minority of the servers, and the power of all of them; without a majority the
  // caller learns so instead of waiting for ever.
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 10_000 },
  // Nothing is read that a new primary may not know.
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  // A write that a failing connection leaves in doubt is sent once more, under the same number, and done once.
  retryWrites: true,
  retryReads: true,
  // A short change of primary is waited for; a longer one is told, and the caller comes back.
  serverSelectionTimeoutMS: 5000,
  connectTimeoutMS: 5000,
  // Longer than any single statement here, so that a connection that lost its other end is given up.
  socketTimeoutMS: 30_000,
  waitQueueTimeoutMS: 10_000,
  heartbeatFrequencyMS: 5000,
  maxIdleTimeMS: 60_000,
}

export interface Connection {
  client: MongoClient
  db: Db
}

/**
 * @param connections most at once: statements wait for the disk of a majority, so more than there are cores
 * @param role that the user needs, for messages
 * @throws KerutaError STORE_UNAVAILABLE that says which server, and why
 */
export async function connect(
  url: string,
  connections: number,
  role: 'read' | 'readWrite',
): Promise<Connection> {
  let client: MongoClient | undefined
  try {
    client = new MongoClient(url, withoutThose(url, { ...options, maxPoolSize: connections }))
    await client.connect()
    const { dbName } = client.options
    const db = client.db(namesDatabase(url) ? dbName : DATABASE)
    await db.command({ ping: 1 })
    return { client, db }
  } catch (error) {
    await client?.close()
    throw openingError(error, url, role)
  }
}

/** Pools and timeouts that the URL names are the operator's choice; how safe an acknowledgement is, is not. */
function withoutThose(url: string, given: MongoClientOptions): MongoClientOptions {
  const named = new Set([...new URLSearchParams(url.split('?')[1]).keys()].map(name => name.toLowerCase()))
  return Object.fromEntries(Object.entries(given).filter(([name]) => !named.has(name.toLowerCase())))
}

function namesDatabase(url: string): boolean {
  return /^mongodb(\+srv)?:\/\/[^/]+\/[^?]/.test(url)
}
