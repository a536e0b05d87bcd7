import { Redis } from 'ioredis'

export type { Redis }

/** A server that does not answer in this time is taken for lost, and connected to anew. */
const ANSWER_MS = 3000

/**
 * A connection that comes back by itself for ever. While it is away commands fail at once, so that nothing piles up; errors are told by
 * those alone.
 * @param url `redis://` or `rediss://`
 */
export function createRedis(url: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    // What every Redis since 2.6 speaks.
    protocol: 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Who listens subscribes again itself, because it must know when that is done.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: times => Math.min(50 * times, 1000),
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    connectionName: 'keruta',
  })
  // An 'error' that nobody hears would end the process.
  redis.on('error', () => {})
  return redis
}
