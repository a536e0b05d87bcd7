import { z } from 'zod'
import { LEVELS, logEntrySchema, newEntrySchema, SOURCES } from './log.ts'

/** Answer of `GET /tasks/{id}/logs` with `after` or `before`; in the order asked for. */
export const logSliceSchema = z.object({
  content: z.array(logEntrySchema),
  /** The next `after` (asc) or `before` (desc). */
  cursor: z.number().int(),
  /** Nothing that matches lies further in this direction now. */
  done: z.boolean(),
  firstSeq: z.number().int(),
  lastSeq: z.number().int(),
})
export type LogSlice = z.infer<typeof logSliceSchema>

const countsOf = <T extends readonly string[]>(names: T) =>
  z.object(Object.fromEntries(names.map(name => [name, z.number().int()])) as Record<T[number], z.ZodNumber>)

export const logStatsSchema = z.object({
  taskId: z.string(),
  totalLogs: z.number().int(),
  byLevel: countsOf(LEVELS),
  bySource: countsOf(SOURCES),
  firstTimestamp: z.string().nullable(),
  lastTimestamp: z.string().nullable(),
  /** With `interval`: buckets that hold anything, in rising time. */
  histogram: z
    .object({
      intervalMs: z.number(),
      buckets: z.array(z.object({ at: z.string(), total: z.number().int(), byLevel: countsOf(LEVELS) })),
    })
    .optional(),
})
export type LogStats = z.infer<typeof logStatsSchema>

/** Body of `POST /tasks/{id}/logs`: one entry, `{entries}`, or an array; NDJSON is read as an array. */
export const newEntriesSchema = z.union([
  z.array(newEntrySchema),
  z.object({ entries: z.array(newEntrySchema) }),
  newEntrySchema,
])
export const postedEntrySchema = z.object({ id: z.string(), seq: z.number().int() })
export const postedEntriesSchema = z.object({ accepted: z.number().int(), lastSeq: z.number().int() })

export const EXPORT_FORMATS = ['json', 'ndjson', 'csv', 'txt'] as const
export const exportFormatSchema = z.enum(EXPORT_FORMATS, {
  error: `unknown format; one of ${EXPORT_FORMATS.join(', ')}`,
})
export type ExportFormat = z.infer<typeof exportFormatSchema>
