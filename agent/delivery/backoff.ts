const FIRST_MS = 200

/**
 * How long to wait before attempt `attempt` (1, 2, 3 …): doubling from 200 ms up to `capMs`, with up to a quarter of jitter, so that
 * many agents do not return in one moment.
 * @param random 0 … 1
 */
export function backoffMs(attempt: number, capMs: number, random: number): number {
  const base = Math.min(capMs, FIRST_MS * 2 ** Math.min(attempt - 1, 20))
  return Math.round(base * (1 - random / 4))
}
