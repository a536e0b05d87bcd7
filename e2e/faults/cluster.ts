import { MongoServer, missingMongoServer } from '#server/testing/mongo-server.ts'
import { missingRedisServer, RedisServer } from '#server/testing/redis-server.ts'
import { TestServer } from '#server/testing/test-server.ts'

/** Several servers on one MongoDB, with one Redis between them, all as processes of their own. */
export class Cluster {
  readonly mongo: MongoServer
  readonly redis: RedisServer
  readonly servers: TestServer[] = []

  private constructor(mongo: MongoServer, redis: RedisServer) {
    this.mongo = mongo
    this.redis = redis
  }

  /** All start at once, on an empty database. */
  static async start(servers: number): Promise<Cluster> {
    const cluster = new Cluster(await MongoServer.start(), await RedisServer.start())
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

/** @returns why there can be none here, or nothing */
export async function missingForCluster(): Promise<string | undefined> {
  return (await missingMongoServer()) ?? (await missingRedisServer())
}
