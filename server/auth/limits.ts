import { type RateLimiterAbstract, RateLimiterMemory } from 'rate-limiter-flexible'

/** Makes a limiter of so many points in so many seconds; `what` tells it from the others. */
export type Limits = (what: string, points: number, seconds: number) => RateLimiterAbstract

/** Limits of this process alone. */
export const memoryLimits: Limits = (_what, points, duration) => new RateLimiterMemory({ points, duration })
