import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'
import { retryAfterMs } from './retryable.ts'

describe('a call that failed', () => {
  it('is repeated where it cannot have been carried out', () => {
    expect(retryAfterMs({ kind: 'failure', sent: false }, false, 1, 3)).toBe(200)
    expect(retryAfterMs({ kind: 'answer', status: 503, retryAfterMs: 900 }, false, 1, 3)).toBe(900)
    expect(retryAfterMs({ kind: 'answer', status: 429 }, false, 2, 3)).toBe(400)
  })

  it('is not repeated where it may have been, and must not be twice', () => {
    expect(retryAfterMs({ kind: 'failure', sent: true }, false, 1, 3)).toBeUndefined()
    expect(retryAfterMs({ kind: 'answer', status: 500 }, false, 1, 3)).toBeUndefined()
    expect(retryAfterMs({ kind: 'failure', sent: true }, true, 1, 3)).toBe(200)
  })

  it('is not repeated where the answer will not change, nor without end', () => {
    for (const status of [400, 401, 403, 404, 409]) {
      expect(retryAfterMs({ kind: 'answer', status }, true, 1, 3)).toBeUndefined()
    }
    expect(retryAfterMs({ kind: 'failure', sent: false }, true, 4, 3)).toBeUndefined()
  })
})

describe('the wait before a new connection', () => {
  it('is short at first and doubles up to its bound, with jitter', () => {
    expect([1, 2, 3, 10].map(attempt => backoffMs(attempt, 5000, 0))).toEqual([200, 400, 800, 5000])
    expect(backoffMs(10, 5000, 1)).toBe(3750)
  })
})
