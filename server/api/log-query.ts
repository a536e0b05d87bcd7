import { z } from '@hono/zod-openapi'
import { idSchema } from '#protocol/ids.ts'
import { listOf, refineFilter } from '#protocol/log-filter.ts'
import { pageQueryShape } from '#protocol/page.ts'
import { filterParameters, listed, queryOf } from './query.ts'

const seq = z.coerce
  .number({ error: 'must be a seq: a whole number, 0 or more' })
  .int('must be a seq: a whole number, 0 or more')
  .min(0, 'must be a seq: a whole number, 0 or more')

const limit = z.coerce
  .number({ error: 'must be a whole number from 1 to 1000' })
  .int('must be a whole number from 1 to 1000')
  .min(1, 'must be a whole number from 1 to 1000')
  .max(1000, 'must be a whole number from 1 to 1000')

const order = z.enum(['asc', 'desc'], { error: 'must be asc or desc' })

/** A page (`page`, `size`), or what lies next to a seq (`after`, `before`, `limit`). */
export const logsQuery = queryOf({
  ...filterParameters,
  page: pageQueryShape.page.removeDefault().optional(),
  size: pageQueryShape.size.removeDefault().optional(),
  after: seq.optional(),
  before: seq.optional(),
  limit: limit.optional(),
  order: order.optional(),
}).superRefine((query, ctx) => {
  refineFilter(query, ctx)
  const paged = query.page !== undefined || query.size !== undefined
  if (!paged || !isSlice(query)) return
  const message = 'ask either by page and size, or by after, before and limit'
  ctx.addIssue({ code: 'custom', path: [query.page === undefined ? 'size' : 'page'], message })
})

export function isSlice(query: { after?: number; before?: number; limit?: number }): boolean {
  return query.after !== undefined || query.before !== undefined || query.limit !== undefined
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const interval = z
  .string()
  .regex(/^(auto|[1-9]\d{0,9}(ms|s|m|h|d)?)$/, 'must be auto, or a time such as 30s, 5m, 1h, 1d or 500 (ms)')
  .transform((text): number | 'auto' => {
    if (text === 'auto') return 'auto'
    const [, count, unit] = /^(\d+)(\D*)$/.exec(text)!
    return Number(count) * (UNIT_MS[unit!] ?? 1)
  })

export const statsQuery = queryOf({ ...filterParameters, interval: interval.optional() }).superRefine(
  refineFilter,
)

export const searchQuery = queryOf({
  ...filterParameters,
  taskId: listed(listOf(idSchema)),
  sessionId: listed(listOf(idSchema)),
  limit: limit.default(100),
  cursor: z.string().max(1000).optional(),
}).superRefine(refineFilter)

export const streamQuery = queryOf({ ...filterParameters, after: seq.optional() }).superRefine(refineFilter)
