import { RateLimiterRes } from 'rate-limiter-flexible'
import { KerutaError } from '#protocol/errors.ts'
import type { Limits } from '#server/auth/limits.ts'

/** Holds REST writers of a task to so many calls a second; 0 for no limit. */
export function createPostLimit(perSecond: number, limits: Limits): (taskId: string) => Promise<void> {
  if (perSecond === 0) return async () => {}
  const limiter = limits('post', perSecond, 1)
  return async taskId => {
    try {
      await limiter.consume(taskId)
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error
      const message = `more than ${perSecond} calls a second for this task: send several entries in one call, or wait`
      throw new KerutaError('RATE_LIMITED', message, { retryAfterMs: Math.max(1, error.msBeforeNext) })
    }
  }
}
