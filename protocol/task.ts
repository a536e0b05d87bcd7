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
export const startTaskSchema = z
  .strictObject({
    agentId: z.string().min(1).max(200).optional(),
    name: text(200).min(1).optional(),
    script: text(MAX_SCRIPT_CHARS).nullish(),
    sessionId: idSchema.nullish(),
    message: text(10_000).nullish(),
    /** When the run began where the call comes late (the server was down); default now. */
    at: instant.optional(),
    /** True: the agent will say that it is alive (`heartbeat`), and is lost where it does not for `LEASE_SECONDS`. */
    heartbeat: z.boolean().optional(),
    /** True: the script's stdin takes what `POST /tasks/{id}/input` sends. */
    interactive: z.boolean().optional(),
  })
  .refine(({ agentId, heartbeat }) => agentId !== undefined || !heartbeat, {
    path: ['agentId'],
    message: 'is needed with heartbeat: true, since each heartbeat names the agent',
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
  at: instant.optional(),
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

/** Within `LEASE_SECONDS` an agent that promised to says several times that it is alive. */
export const LEASE_SECONDS = 40

/** Body of `POST /tasks/{id}/heartbeat`. 409 where the run is not this agent's (any more): it must end its script. */
export const heartbeatSchema = z.strictObject({ agentId: text(200).min(1) })

/** Body of `POST /tasks/{id}/release`: the agent that runs the task gives it back, PENDING again in the same attempt. */
export const releaseSchema = z.strictObject({ agentId: text(200).min(1), message: text(10_000).nullish() })
export type ReleaseTask = z.infer<typeof releaseSchema>

/** Body of `POST /sessions/{id}/tasks/claim`. Repeated with the same `agentId`, which names one run, it answers the same task. */
export const claimSchema = z.strictObject({
  agentId: text(200).min(1),
  interactive: z.boolean().optional(),
})
export type Claim = z.infer<typeof claimSchema>

/** Body of `POST /tasks/{id}/waiting`: the script waits for input, or (`prompt: null`) goes on. */
export const waitingSchema = z.strictObject({
  agentId: text(200).min(1).optional(),
  prompt: text(4096).nullable(),
  secret: z.boolean().default(false),
})
export type Waiting = z.infer<typeof waitingSchema>

/** Body of `POST /tasks/{id}/input`. */
export const inputSchema = z
  .strictObject({
    text: text(64 * 1024).default(''),
    /** False: `text` without the line's end, as where there is nothing but `eof`. */
    newline: z.boolean().default(true),
    /** True: after `text`, if there is any, stdin ends. */
    eof: z.boolean().default(false),
    /** True: what was sent is shown nowhere. */
    secret: z.boolean().default(false),
  })
  .refine(({ text, newline, eof }) => text !== '' || newline || eof, 'holds nothing to send')
export type Input = z.infer<typeof inputSchema>

/** Input on its way to the script; forgotten once the agent has it. */
export const taskInputSchema = z.object({
  /** Rises with time. */
  id: z.string(),
  taskId: z.string(),
  /** With its line's end. */
  text: z.string(),
  eof: z.boolean(),
  secret: z.boolean(),
  by: z.string(),
  createdAt: z.string(),
})
export type TaskInput = z.infer<typeof taskInputSchema>

/** Body of `POST /tasks/{id}/observations`. A step is known by attempt, name and start; said again it is brought up to date. */
export const observationsSchema = z.strictObject({
  steps: z.array(taskStepSchema).max(MAX_OBSERVATIONS).default([]),
  metrics: z.array(taskMetricSchema).max(MAX_OBSERVATIONS).default([]),
})
export type Observations = z.infer<typeof observationsSchema>

/**
 * What a task has now, and how many were forgotten because there were more than `MAX_OBSERVATIONS` in all: those of earlier attempts
 * first, then the oldest metrics.
 */
export const observedSchema = z.object({
  steps: z.number().int(),
  metrics: z.number().int(),
  forgotten: z.number().int(),
})
export type Observed = z.infer<typeof observedSchema>

/** Body of `POST /tasks/{id}/auto-fix`: makes the task that is to mend this one, unless there is one. */
export const autoFixSchema = z.strictObject({
  /** Default: the `autoFixCommand` of the session's template. */
  command: text(64 * 1024)
    .min(1)
    .optional(),
})

/** What became of `autoFix` in a `fail`: the task that is to mend the failure, or why there is none. */
export const autoFixOutcomeSchema = z.object({ taskId: z.string().nullable(), reason: z.string().nullable() })
export type AutoFixOutcome = z.infer<typeof autoFixOutcomeSchema>

/** Answer of `fail`. */
export const failedTaskSchema = taskViewSchema.extend({ autoFix: autoFixOutcomeSchema.optional() })
export type FailedTask = z.infer<typeof failedTaskSchema>

export const AUTO_FIX_LINES = 200

/** Answer of `GET /tasks/{id}/auto-fix`: what an auto-fix task is to mend. */
export const autoFixContextSchema = z.object({
  taskId: z.string(),
  name: z.string(),
  script: z.string().nullable(),
  message: z.string().nullable(),
  errorCode: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** The failed run's last `AUTO_FIX_LINES` lines. */
  lines: z.array(z.string()),
})
export type AutoFixContext = z.infer<typeof autoFixContextSchema>

export const TASK_SORTS = ['createdAt', 'startedAt', 'finishedAt', 'name', 'priority', 'status'] as const
