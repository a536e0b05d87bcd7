import { RateLimiterRedis } from 'rate-limiter-flexible'
import { type Limits, memoryLimits } from '#server/auth/limits.ts'
import type { Redis } from './redis.ts'

/** Limits that count for all servers of the name together, and for each alone while Redis is away. */
export function createRedisLimits({ redis, name }: { redis: Redis; name: string }): Limits {
  return (what, points, duration) =>
    new RateLimiterRedis({
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: memoryLimits(what, points, duration),
      keyPrefix: `keruta:${name}:limit:${what}`,
      points,
      duration,
    })
}
