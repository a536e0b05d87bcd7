import { z } from 'zod'
import { idSchema } from './ids.ts'
import { logStateSchema } from './log.ts'

export const TASK_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const
export const taskStatusSchema = z.enum(TASK_STATUSES, {
  error: `unknown status; one of ${TASK_STATUSES.join(', ')}`,
})
export type TaskStatus = z.infer<typeof taskStatusSchema>

/** No transition leaves these, except a retry. */
export const TERMINAL_STATUSES: readonly TaskStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED']

export const statusChangeSchema = z.object({
  status: taskStatusSchema,
  at: z.string(),
  /** Who: a key's name, `agent:<id>`, a JWT's subject. */
  by: z.string(),
  message: z.string().nullish(),
})
export type StatusChange = z.infer<typeof statusChangeSchema>

export const MAX_SCRIPT_CHARS = 1024 * 1024

export const envSchema = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(64 * 1024), {
  error: issue =>
    issue.code === 'invalid_key'
      ? 'is not a variable name: letters, digits and _, no digit first'
      : undefined,
})

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
  agentId: z.string().nullable(),
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
export const taskViewSchema = taskSchema.extend({ logs: logCountsSchema, logState: logStateSchema })
export type TaskView = z.infer<typeof taskViewSchema>

const text = (max: number) => z.string().max(max)

export const newTaskSchema = z.strictObject({
  id: idSchema.optional(),
  sessionId: idSchema.nullish(),
  name: text(200).min(1).optional(),
  script: text(MAX_SCRIPT_CHARS).nullish(),
  env: envSchema.nullish(),
  priority: z.number().int().min(-1_000_000).max(1_000_000).default(0),
  maxAttempts: z.number().int().min(1).max(100).default(1),
  timeoutSeconds: z.number().positive().max(31_536_000).nullish(),
})
export type NewTask = z.infer<typeof newTaskSchema>

export const taskPatchSchema = z.strictObject({
  name: text(200).min(1).optional(),
  script: text(MAX_SCRIPT_CHARS).nullish(),
  env: envSchema.nullish(),
  priority: z.number().int().min(-1_000_000).max(1_000_000).optional(),
  maxAttempts: z.number().int().min(1).max(100).optional(),
  timeoutSeconds: z.number().positive().max(31_536_000).nullish(),
})
export type TaskPatch = z.infer<typeof taskPatchSchema>

/** Body of `POST /tasks/{id}/start`: creates the task if it is unknown. Repeating it with the same `agentId` changes nothing. */
export const startTaskSchema = z.strictObject({
  agentId: z.string().min(1).max(200).optional(),
  name: text(200).min(1).optional(),
  script: text(MAX_SCRIPT_CHARS).nullish(),
  sessionId: idSchema.nullish(),
  message: text(10_000).nullish(),
  /** When the run began where the call comes late (the server was down); default now. */
  at: z.iso.datetime({ offset: true }).optional(),
})
export type StartTask = z.infer<typeof startTaskSchema>

export const resourcesSchema = z.strictObject({
  maxRssBytes: z.number().min(0).nullish(),
  cpuUserMs: z.number().min(0).nullish(),
  cpuSystemMs: z.number().min(0).nullish(),
})

const finish = {
  /** The agent whose run ends; a run that another agent has begun since is left alone (409). */
  agentId: text(200).min(1).optional(),
  message: text(10_000).nullish(),
  exitCode: z.number().int().nullish(),
  resources: resourcesSchema.nullish(),
  at: z.iso.datetime({ offset: true }).optional(),
}
export const successSchema = z.strictObject(finish)
export type SuccessTask = z.infer<typeof successSchema>

export const failSchema = z.strictObject({
  ...finish,
  errorCode: text(200).nullish(),
  signal: text(40).nullish(),
  autoFix: z.boolean().optional(),
})
export type FailTask = z.infer<typeof failSchema>

export const progressSchema = z.strictObject({
  progress: z.number({ error: 'progress must be a number from 0 to 100' }).min(0).max(100),
  message: text(10_000).nullish(),
})
export type ProgressTask = z.infer<typeof progressSchema>

/** Body of `cancel` and `retry`. */
export const reasonSchema = z.strictObject({ message: text(10_000).nullish() })

/** `start` also answers a token good for this task alone, which the agent hands to the child. */
export const startedTaskSchema = taskViewSchema.extend({ token: z.string() })
export type StartedTask = z.infer<typeof startedTaskSchema>

export const TASK_SORTS = ['createdAt', 'startedAt', 'finishedAt', 'name', 'priority', 'status'] as const
