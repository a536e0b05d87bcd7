import { type MongoKind, mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import { missingRedisServer, RedisServer } from '#server/testing/redis-server.ts'
import { TestServer } from '#server/testing/test-server.ts'

/** A MongoDB, a Redis, and servers on both. */
export interface Place {
  mongo: TestMongo
  servers: TestServer[]
  dispose(): Promise<void>
}

/** @param count of servers; with one there is no Redis */
export async function openPlace(count: number): Promise<Place> {
  const mongo = await (await kind()).start()
  const redis = count > 1 ? await startRedis() : undefined
  const servers: TestServer[] = []
  const dispose = async () => {
    await Promise.all(servers.map(server => server.dispose()))
    await redis?.kill()
    await mongo.dispose()
  }
  try {
    for (let index = 0; index < count; index++)
      servers.push(
        await TestServer.start({
          DATABASE_URL: mongo.url('bench'),
          ...(redis ? { REDIS_URL: redis.url } : {}),
          KERUTA_INGEST_RATE: '0',
          KERUTA_READER_RATE: '0',
        }),
      )
    return { mongo, servers, dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** The real one where there is one. */
async function kind(): Promise<MongoKind> {
  const { kinds, missing } = await mongoKinds()
  const last = kinds.at(-1)
  if (!last) throw new Error(missing)
  return last
}

async function startRedis(): Promise<RedisServer> {
  const missing = await missingRedisServer()
  if (missing !== undefined) throw new Error(missing)
  return RedisServer.start()
}

export const tasksUrl = ({ url }: TestServer) => `${url.replace('http', 'ws')}/ws/tasks/`
