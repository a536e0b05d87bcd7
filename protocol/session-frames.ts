import { z } from 'zod'
import { ERROR_STATUS, type ErrorCode } from './errors.ts'
import { sessionStatusSchema } from './session.ts'

/** Text frames that an agent sends on `/ws/sessions/{sessionId}`, where it waits for work. */
export const sessionClientFrameSchema = z.discriminatedUnion(
  'type',
  [
    z.object({
      type: z.literal('hello'),
      agentId: z.string().min(1).max(200),
      version: z.string().max(100).optional(),
      host: z.string().max(200).optional(),
      pid: z.number().int().optional(),
      workspaceId: z.string().max(200).nullish(),
    }),
    z.object({ type: z.literal('ping') }),
    z.object({ type: z.literal('pong') }),
  ],
  { error: 'unknown type; one of hello, ping, pong' },
)
export type SessionClientFrame = z.infer<typeof sessionClientFrameSchema>

/** Text frames that the server sends there. */
export const sessionServerFrameSchema = z.discriminatedUnion('type', [
  /** Answer to `hello`, and again when the status changes. */
  z.object({ type: z.literal('session'), sessionId: z.string(), status: sessionStatusSchema }),
  /** A task may wait: claim it. */
  z.object({ type: z.literal('work'), sessionId: z.string() }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('pong') }),
  z.object({
    type: z.literal('error'),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
  }),
])
export type SessionServerFrame = z.infer<typeof sessionServerFrameSchema>
