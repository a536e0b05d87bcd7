import type { Redis } from 'ioredis'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'

/** Makes a limiter of so many points in so many seconds; `what` tells it from the others. */
export type Limits = (what: string, points: number, seconds: number) => RateLimiterAbstract

/**
 * Limits that count for all servers together where there is a Redis, and for each alone while it is away.
 * @param shared the Redis, and the name of the servers that belong together
 */
export function createLimits(shared?: { redis: Redis; name: string }): Limits {
  return (what, points, duration) => {
    const own = new RateLimiterMemory({ points, duration })
    if (!shared) return own
    return new RateLimiterRedis({
      storeClient: shared.redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: own,
      keyPrefix: `keruta:${shared.name}:limit:${what}`,
      points,
      duration,
    })
  }
}
