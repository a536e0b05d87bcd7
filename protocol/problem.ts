import { z } from 'zod'

/** RFC 9457 problem document; `code` is keruta's own machine-readable member. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  code: z.string(),
  /** What is wrong with each part of the input. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  retryAfterMs: z.number().optional(),
  /** With an upload that does not go on where it stands: how much of it is there. */
  receivedBytes: z.number().optional(),
})
export type Problem = z.infer<typeof problemSchema>
