import type { Serving } from '#protocol/session.ts'

/** An agent that is not connected asks for work from time to time. */
const ASKS_WITHIN_MS = 30_000

/** Whether no agent waits for a session's tasks, as far as the server knows. @param now ms */
export function isUnserved({ daemons, lastSeenAt }: Serving, now: number): boolean {
  return daemons === 0 && (lastSeenAt === null || now - Date.parse(lastSeenAt) > ASKS_WITHIN_MS)
}
