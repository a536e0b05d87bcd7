import { z } from 'zod'
import { sessionStatusSchema } from '#protocol/session.ts'
import { taskStatusSchema } from '#protocol/task.ts'

const taskId = z.string()
const taskIds = z.array(taskId)

export const busEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('task'),
    change: z.enum(['created', 'updated', 'deleted']),
    taskId,
    sessionId: z.string().nullable(),
    status: taskStatusSchema,
    /** Whether its status, or whether and for what it waits, is another one now. */
    moved: z.boolean(),
    message: z.string().nullable(),
  }),
  /** A session changed; its status is null where it was deleted. */
  z.object({ type: z.literal('session'), sessionId: z.string(), status: sessionStatusSchema.nullable() }),
  /** The logs of these tasks have grown, or their states changed. */
  z.object({ type: z.literal('stats'), taskIds }),
  /** Lines were deleted; `firstSeq` of what is left, 0 where nothing is. */
  z.object({ type: z.literal('cleared'), taskId, firstSeq: z.number() }),
  /** Files of the task came, went or are on their way. */
  z.object({ type: z.literal('artifacts'), taskId }),
  /** Something was typed to the task's script; what it is lies in the store. */
  z.object({ type: z.literal('input'), taskId }),
  z.object({ type: z.literal('keyRevoked'), keyId: z.string() }),
  /** A sender of one of the task's streams came to the server, or the last one left it. */
  z.object({ type: z.literal('writer'), taskId, here: z.boolean() }),
  /** All tasks with senders on the server; said regularly, so that silence tells that it is gone. */
  z.object({ type: z.literal('writers'), taskIds }),
  /** Sessions that daemons connected to the server serve, and how many; said regularly, as `writers` is. */
  z.object({ type: z.literal('daemons'), sessions: z.record(z.string(), z.number()) }),
  /** Asks every server for its `writers` and `daemons`. */
  z.object({ type: z.literal('hello') }),
  /** The server could not tell everything that it had to tell. */
  z.object({ type: z.literal('lost') }),
])

/** What one server tells the others, besides lines. */
export type BusEvent = z.infer<typeof busEventSchema>
