import { HTTPException } from 'hono/http-exception'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { KerutaError } from '#protocol/errors.ts'
import { problemResponse } from './problem.ts'

test('an expected failure is told with its code, detail and time to wait', async () => {
  const answer = problemResponse(new KerutaError('RATE_LIMITED', 'too fast', { retryAfterMs: 1500 }))
  expect(answer.status).toBe(429)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('retry-after')).toBe('2')
  expect(await answer.json()).toEqual({
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    detail: 'too fast',
    code: 'RATE_LIMITED',
    retryAfterMs: 1500,
  })
})

test('who is not known is told how to authenticate', () => {
  const answer = problemResponse(new KerutaError('UNAUTHENTICATED', 'no token'))
  expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keruta"')
})

test('bad input is told part by part', async () => {
  const { error } = z.object({ entries: z.array(z.object({ level: z.enum(['INFO']) })) }).safeParse({
    entries: [{ level: 'LOUD' }],
  })
  const answer = problemResponse(error)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({
    code: 'BAD_REQUEST',
    errors: [{ path: 'entries.0.level', message: expect.stringContaining('INFO') }],
  })
})

test.each([
  [404, 'NOT_FOUND'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [418, 'BAD_REQUEST'],
] as const)("the framework's own refusal %i becomes %s", async (status, code) => {
  expect(await problemResponse(new HTTPException(status, { message: 'no' })).json()).toMatchObject({
    code,
    detail: 'no',
  })
})

test('what failed in a worker is reported, for the log says more than the answer', () => {
  const reported: unknown[] = []
  const error = new KerutaError('INTERNAL', 'the query was lost with its thread', { cause: new Error('why') })
  expect(problemResponse(error, cause => reported.push(cause)).status).toBe(500)
  expect(reported).toEqual([error])
})

test('anything else is reported, and told without its message', async () => {
  const reported: unknown[] = []
  const error = new TypeError('secret')
  const answer = problemResponse(error, cause => reported.push(cause))
  expect(reported).toEqual([error])
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toContain('secret')
})
