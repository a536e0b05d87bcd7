import { z } from 'zod'
import { ERROR_STATUS, type ErrorCode } from './errors.ts'
import { levelSchema, logEntrySchema, newEntrySchema, sourceSchema } from './log.ts'
import { listOf } from './log-filter.ts'
import { taskViewSchema } from './task.ts'
import { taskInputSchema } from './task-calls.ts'

/** A stream's name: one agent process's lines for one task. */
export const streamIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ : -')

const position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const subscribeOptions = z.strictObject({
  sources: listOf(sourceSchema),
  levels: listOf(levelSchema),
  minLevel: levelSchema.optional(),
  step: z.string().max(200).optional(),
  search: z.string().max(1000).optional(),
  regex: z.boolean().optional(),
  caseSensitive: z.boolean().optional(),
  /** False: the stored entries after `after`, then `subscribed` with `done: true`, and nothing live. */
  realtime: z.boolean().default(true),
  /** Resume after this seq: 0 for everything. */
  after: position.optional(),
  /** True: `logs` frames of many entries instead of one `log` frame an entry. */
  batch: z.boolean().default(false),
})
const OPTIONS = Object.keys(subscribeOptions.shape)

/** `options` of `subscribe`, on the raw WebSocket and Socket.IO. Without `after`, only entries from now on are sent. */
export const subscribeOptionsSchema = z.strictObject(subscribeOptions.shape, {
  error: issue =>
    issue.code === 'unrecognized_keys'
      ? `unknown option ${issue.keys.map(key => JSON.stringify(key)).join(', ')}; there are ${OPTIONS.join(', ')}`
      : undefined,
})
export type SubscribeOptions = z.infer<typeof subscribeOptionsSchema>

/** An option beside `options`, where it would mean nothing. */
const misplaced = Object.fromEntries(
  OPTIONS.map(name => [name, z.undefined({ error: `belongs into "options"` }).optional()]),
) as Record<never, never>

const numberedEntry = newEntrySchema.extend({ n: position.min(1) })

/** Text frames that a client may send on `/ws/tasks/{taskId}`. `taskId` may be repeated in a frame and must then be the path's. */
export const clientFrameSchema = z.discriminatedUnion(
  'type',
  [
    z.object({
      type: z.literal('subscribe'),
      taskId: z.string().optional(),
      options: subscribeOptionsSchema.default({ realtime: true, batch: false }),
      ...misplaced,
    }),
    z.object({ type: z.literal('unsubscribe'), taskId: z.string().optional() }),
    z.object({ type: z.literal('ping') }),
    z.object({ type: z.literal('pong') }),
    newEntrySchema.extend({ type: z.literal('log'), taskId: z.string().optional() }),
    z.object({
      type: z.literal('logs'),
      taskId: z.string().optional(),
      streamId: streamIdSchema,
      entries: z.array(numberedEntry).min(1).max(10_000),
    }),
    z.object({ type: z.literal('heartbeat'), usage: z.record(z.string(), z.number()).optional() }),
    z.object({ type: z.literal('hello'), streamId: streamIdSchema, agentId: z.string().max(200).optional() }),
    /** The script has this input: it is not sent again. */
    z.object({ type: z.literal('inputTaken'), taskId: z.string().optional(), id: z.string() }),
    z.object({
      type: z.literal('end'),
      taskId: z.string().optional(),
      streamId: streamIdSchema,
      n: position,
    }),
  ],
  {
    error:
      'unknown type; one of subscribe, unsubscribe, ping, pong, log, logs, heartbeat, hello, inputTaken, end',
  },
)
export type ClientFrame = z.infer<typeof clientFrameSchema>

/** Text frames that the server sends. */
export const serverFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('subscribed'),
    taskId: z.string(),
    after: position,
    lastSeq: position,
    version: z.number(),
    done: z.boolean().optional(),
  }),
  z.object({ type: z.literal('unsubscribed'), taskId: z.string() }),
  /** Answer to `hello`: where the stream stands, so that a reconnecting sender starts at `n + 1`. */
  z.object({
    type: z.literal('welcome'),
    taskId: z.string(),
    streamId: z.string(),
    n: position,
    version: z.number(),
  }),
  logEntrySchema.extend({ type: z.literal('log') }),
  z.object({ type: z.literal('logs'), taskId: z.string(), entries: z.array(logEntrySchema) }),
  z.object({ type: z.literal('ack'), streamId: z.string(), n: position }),
  /** Answer to `end`, after every line is stored. */
  z.object({ type: z.literal('complete'), streamId: z.string(), n: position }),
  /** The reader was too slow: entries `from` … `to` were not sent and can be had by REST. */
  z.object({ type: z.literal('gap'), taskId: z.string(), from: position, to: position }),
  z.object({ type: z.literal('status'), taskId: z.string(), task: taskViewSchema }),
  z.object({
    type: z.literal('progress'),
    taskId: z.string(),
    progress: z.number(),
    message: z.string().nullish(),
  }),
  z.object({ type: z.literal('cancel'), taskId: z.string(), message: z.string().nullish() }),
  /** To the agent whose run it is: give this to the script, once for each `id`, in the order of their coming. */
  taskInputSchema.omit({ createdAt: true }).extend({ type: z.literal('input') }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('pong') }),
  z.object({
    type: z.literal('error'),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    retryAfterMs: z.number().optional(),
    /** With a stream's frame that was not stored: send again from `n + 1`, after `retryAfterMs`. */
    streamId: z.string().optional(),
    n: position.optional(),
  }),
])
export type ServerFrame = z.infer<typeof serverFrameSchema>

/** A frame or REST body may not be larger; a WebSocket frame over it closes with 1009. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024
