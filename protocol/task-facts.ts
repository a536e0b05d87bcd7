import type { TaskStatus } from './task.ts'

// Free of schemas, which cost every agent process 15 MB.

/** No transition leaves these, except a retry. */
export const TERMINAL_STATUSES: readonly TaskStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED']

/** Steps, and metrics, in one call. */
export const MAX_OBSERVATIONS = 1000
