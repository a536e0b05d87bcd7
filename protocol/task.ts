import { z } from 'zod'
import { idSchema } from './ids.ts'
import { logStateSchema } from './log.ts'
import { MAX_OBSERVATIONS, TERMINAL_STATUSES } from './task-facts.ts'

export { MAX_OBSERVATIONS, TERMINAL_STATUSES }

export const TASK_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const
export const taskStatusSchema = z.enum(TASK_STATUSES, {
  error: `unknown status; one of ${TASK_STATUSES.join(', ')}`,
})
export type TaskStatus = z.infer<typeof taskStatusSchema>

export const statusChangeSchema = z.object({
  status: taskStatusSchema,
  at: z.string(),
  /** Who: a key's name, `agent:<id>`, a JWT's subject. */
  by: z.string(),
  message: z.string().nullish(),
  /** Of a failure, as far as the agent told them. */
  errorCode: z.string().nullish(),
  exitCode: z.number().int().nullish(),
  signal: z.string().nullish(),
  /** Of a start: the agent brought the script, which nobody had queued. It goes with the run where the task goes back to the queue. */
  ownScript: z.literal(true).optional(),
})
export type StatusChange = z.infer<typeof statusChangeSchema>

export const MAX_SCRIPT_CHARS = 1024 * 1024

export const envSchema = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(64 * 1024), {
  error: issue =>
    issue.code === 'invalid_key'
      ? 'is not a variable name: letters, digits and _, no digit first'
      : undefined,
})

const text = (max: number) => z.string().max(max)
const instant = z.iso.datetime({ offset: true })

/** Of which attempt; left out where it is the one that the task is in. */
const ofAttempt = z.number().int().min(1).optional()

/** A stretch of a task's work, as its lines mark it. */
export const taskStepSchema = z.strictObject({
  name: text(200).min(1),
  attempt: ofAttempt,
  startedAt: instant,
  /** Null while it goes on. */
  durationMs: z.number().min(0).nullable().default(null),
  status: z.enum(['RUNNING', 'COMPLETED', 'FAILED']).default('RUNNING'),
})
export type TaskStep = z.infer<typeof taskStepSchema>

/** A number that the script reports of itself. */
export const taskMetricSchema = z.strictObject({
  name: text(200).min(1),
  attempt: ofAttempt,
  value: z.number(),
  at: instant,
})
export type TaskMetric = z.infer<typeof taskMetricSchema>

/** What a script that reads its stdin has shown before it fell silent. */
export const waitingForInputSchema = z.object({
  prompt: z.string(),
  since: z.string(),
  /** Whether it does not echo what is typed: a password. */
  secret: z.boolean(),
})

/** A failure, its fix, the fix of that: no more. */
export const MAX_AUTO_FIX_CHAIN = 3

export const taskSchema = z.object({
  id: idSchema,
  sessionId: z.string().nullable(),
  name: z.string(),
  script: z.string().nullable(),
  env: envSchema.nullable(),
  priority: z.number().int(),
  status: taskStatusSchema,
  /** Percent, 0 to 100. */
  progress: z.number(),
  progressMessage: z.string().nullable(),
  message: z.string().nullable(),
  errorCode: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** Whose run it is; an agent that runs several tasks adds `/1`, `/2` … to its own id, so that each run has one. */
  agentId: z.string().nullable(),
  /** An agent that says it is alive: without a word until then it counts as lost. Null where nobody has promised to. */
  leaseUntil: z.string().nullable(),
  /** Whether what `POST /tasks/{id}/input` sends reaches the script. */
  interactive: z.boolean(),
  waitingForInput: waitingForInputSchema.nullable(),
  /** The failed task that this one is to mend. */
  autoFixOf: z.string().nullable(),
  /** From the first failure to `autoFixOf`. */
  autoFixChain: z.array(z.string()),
  /** 1 for the first run; each retry adds one. */
  attempt: z.number().int(),
  maxAttempts: z.number().int(),
  timeoutSeconds: z.number().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  durationMs: z.number().nullable(),
  resources: z
    .object({
      maxRssBytes: z.number().nullish(),
      cpuUserMs: z.number().nullish(),
      cpuSystemMs: z.number().nullish(),
    })
    .nullable(),
  /** Of all attempts, as far as they are remembered. */
  steps: z.array(taskStepSchema),
  metrics: z.array(taskMetricSchema),
  statusHistory: z.array(statusChangeSchema),
})
export type Task = z.infer<typeof taskSchema>

/** Lines of a task's log by level, from the store's own counts. */
export const logCountsSchema = z.object({
  total: z.number().int(),
  byLevel: z.object({
    DEBUG: z.number().int(),
    INFO: z.number().int(),
    WARN: z.number().int(),
    ERROR: z.number().int(),
    CRITICAL: z.number().int(),
  }),
  lastSeq: z.number().int(),
  bytes: z.number().int(),
})
export type LogCounts = z.infer<typeof logCountsSchema>

/** A task as REST and the `task` event show it: with its log's counts and state. */
export const taskViewSchema = taskSchema.extend({
  hasScript: z.boolean(),
  logs: logCountsSchema,
  logState: logStateSchema,
})
export type TaskView = z.infer<typeof taskViewSchema>

/**
 * A task in a list: without what may be large, and of its history the last change alone. In its session's queue it has what an agent
 * needs to run it, `script` and `env`.
 */
export const taskRowSchema = taskViewSchema
  .omit({ steps: true, metrics: true })
  .partial({ script: true, env: true })
export type TaskRow = z.infer<typeof taskRowSchema>

export const TASK_SORTS = ['createdAt', 'startedAt', 'finishedAt', 'name', 'priority', 'status'] as const
