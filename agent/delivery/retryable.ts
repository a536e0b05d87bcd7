/** What became of one attempt to call the API. */
export type Attempt =
  | { kind: 'answer'; status: number; retryAfterMs?: number }
  /** `sent`: the request may have reached the server. */
  | { kind: 'failure'; sent: boolean }

/**
 * Whether to call again, and after how long; `undefined` for no. The one place that decides.
 * @param idempotent whether a call that was carried out may be carried out again
 * @param attempt 1 for the first
 */
export function retryAfterMs(
  outcome: Attempt,
  idempotent: boolean,
  attempt: number,
  retries: number,
): number | undefined {
  if (attempt > retries) return undefined
  const wait = Math.min(5000, 200 * 2 ** (attempt - 1))
  if (outcome.kind === 'failure') return idempotent || !outcome.sent ? wait : undefined
  const { status } = outcome
  if (status === 429 || status === 503) return Math.max(wait, outcome.retryAfterMs ?? 0)
  return (status === 502 || status === 504 || status === 500) && idempotent ? wait : undefined
}
