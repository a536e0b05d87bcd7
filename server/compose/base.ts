import { createHash } from 'node:crypto'
import { createAuth } from '#server/auth/auth.ts'
import { memoryLimits } from '#server/auth/limits.ts'
import { newSecret } from '#server/auth/secret.ts'
import type { Config } from '#server/config.ts'
import { LocalBus } from '#server/live/bus/local-bus.ts'
import { createRedis } from '#server/live/bus/redis.ts'
import { openRedisBus } from '#server/live/bus/redis-bus.ts'
import { createRedisLimits } from '#server/live/bus/redis-limits.ts'
import { createLogger } from '#server/logger.ts'
import { startCompactor } from '#server/logs/compact.ts'
import { openLogQueries } from '#server/logs/query-pool.ts'
import { createMetrics } from '#server/metrics.ts'
import { namedByVariable, openStore, type StoreLocation } from '#server/store/open.ts'
import { queueDepth } from '#server/tasks/queue.ts'

export type Base = Awaited<ReturnType<typeof openBase>>

/** What all else stands on: the store, the way to other servers, and who may come in. */
export async function openBase(config: Config) {
  const { dataDir, databaseUrl } = config
  const logger = createLogger(config.logLevel)
  const location: StoreLocation = databaseUrl
    ? { kind: 'mongodb', url: databaseUrl }
    : { kind: 'sqlite', dataDir }
  const store = await namedByVariable(location, () => openStore(location))
  const { segments } = store

  const jwtSecret = config.jwtSecret ?? (await store.sharedSecret(newSecret()))
  // Others may use the same Redis; who has the same secret belongs to us.
  const name = createHash('sha256').update(`bus ${jwtSecret}`).digest('hex').slice(0, 12)
  const redis = config.redisUrl === undefined ? undefined : createRedis(config.redisUrl)
  const bus = redis ? await openRedisBus({ redis, name, logger }) : new LocalBus()
  const limits = redis ? createRedisLimits({ redis, name }) : memoryLimits

  const auth = createAuth({
    mode: config.auth,
    apiKeys: store.apiKeys,
    jwtSecret,
    allowedOrigins: config.allowedOrigins,
    trustedProxies: config.trustedProxies,
    limits,
    onRevoked: keyId => bus.send({ type: 'keyRevoked', keyId }),
  })
  const metrics = createMetrics(
    () => store.tasks.countBy('status'),
    () => bus.problem() === undefined,
    () => queueDepth(store),
  )
  const queries = openLogQueries(location, { regexBudgetMs: config.regexBudgetMs })
  const compactor = startCompactor({ store: segments, location, logger })

  return {
    logger,
    store,
    bus,
    /** Whether other servers are to be heard. */
    isOneOfMany: redis !== undefined,
    limits,
    auth,
    metrics,
    queries,
    compactor,
    clock: Date.now,
    /** Ms that never go back. */
    monotonic: () => performance.now(),
    async close() {
      await bus.close()
      await compactor.close()
      await queries.close()
      await store.close()
    },
  }
}
