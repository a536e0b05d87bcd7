import { type MongoKind, mongoKinds, type TestMongo } from '#server/testing/mongo-server.ts'
import { missingRedisServer, RedisServer } from '#server/testing/redis-server.ts'
import { TestServer } from '#server/testing/test-server.ts'

/** Several servers on one MongoDB, with one Redis between them, all as processes of their own. */
export class Cluster {
  readonly mongo: TestMongo
  readonly redis: RedisServer
  readonly servers: TestServer[] = []

  private constructor(mongo: TestMongo, redis: RedisServer) {
    this.mongo = mongo
    this.redis = redis
  }

  /** All start at once, on an empty database. */
  static async start(servers: number, mongo: MongoKind): Promise<Cluster> {
    const cluster = new Cluster(await mongo.start(), await RedisServer.start())
    const environment = {
      KERUTA_STORE: 'mongodb',
      DATABASE_URL: cluster.mongo.url('keruta'),
      REDIS_URL: cluster.redis.url,
      KERUTA_INGEST_RATE: '0',
    }
    const starting = Array.from({ length: servers }, () => TestServer.start(environment))
    cluster.servers.push(...(await Promise.all(starting)))
    return cluster
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map(server => server.dispose()))
    await this.redis.kill()
    await this.mongo.dispose()
  }
}

/** The MongoDBs on which there can be some here, or why there are none. */
export async function clusterKinds(): Promise<Awaited<ReturnType<typeof mongoKinds>>> {
  const missing = await missingRedisServer()
  return missing === undefined ? mongoKinds() : { kinds: [], missing }
}
