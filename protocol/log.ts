import { z } from 'zod'
import { isDeeperThan, MAX_METADATA_DEPTH } from './depth.ts'
import { idSchema, instantSchema } from './ids.ts'
import { entryId, LEVELS, type Level, MAX_MESSAGE_BYTES, parseLevel, SOURCES, type Source } from './levels.ts'

export { entryId, LEVELS, type Level, MAX_MESSAGE_BYTES, parseLevel, SOURCES, type Source }

export const levelSchema = z.string().transform((name, ctx) => {
  const level = parseLevel(name)
  if (level) return level
  ctx.addIssue({
    code: 'custom',
    message: `unknown level "${name.slice(0, 40)}"; one of ${LEVELS.join(', ')}`,
  })
  return z.NEVER
})

export const sourceSchema = z.enum(SOURCES, { error: `unknown source; one of ${SOURCES.join(', ')}` })

export const metadataSchema = z.record(z.string(), z.unknown())

/** One line, or one message that a client posted. `seq` counts 1, 2, 3 … within a task and is every reader's cursor. */
export const logEntrySchema = z.object({
  id: z.string(),
  taskId: idSchema,
  seq: z.number().int(),
  timestamp: z.string(),
  source: z.enum(SOURCES),
  level: z.enum(LEVELS),
  message: z.string(),
  lineNumber: z.number().int().optional(),
  step: z.string().optional(),
  durationMs: z.number().optional(),
  metadata: metadataSchema.optional(),
})
export type LogEntry = z.infer<typeof logEntrySchema>

/** What a client sends for one entry; `taskId` is taken from the path or the frame. */
export const newEntrySchema = z.object({
  source: sourceSchema.default('agent'),
  level: levelSchema.default('INFO'),
  message: z.string({ error: 'message must be a string' }),
  timestamp: instantSchema.optional(),
  lineNumber: z.number().int().min(1).max(4_000_000_000).nullish(),
  step: z.string().min(1).max(200).nullish(),
  durationMs: z.number().min(0).nullish(),
  metadata: metadataSchema
    .refine(
      metadata => !isDeeperThan(metadata, MAX_METADATA_DEPTH),
      `is nested over ${MAX_METADATA_DEPTH} deep; flatten it, or send it as text`,
    )
    .nullish(),
})
export type NewEntry = z.infer<typeof newEntrySchema>

/** Whether a task's log is whole: every stream ended and acknowledged, still arriving, or short of lines. */
export const logStateSchema = z.object({
  state: z.enum(['complete', 'arriving', 'incomplete']),
  /** Lines that a stream announced at its end and that are not stored; absent where nobody knows. */
  missing: z.number().int().optional(),
  detail: z.string(),
})
export type LogState = z.infer<typeof logStateSchema>
