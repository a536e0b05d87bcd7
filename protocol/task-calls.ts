import { z } from 'zod'
import { idSchema } from './ids.ts'
import {
  envSchema,
  MAX_OBSERVATIONS,
  MAX_SCRIPT_CHARS,
  taskMetricSchema,
  taskStepSchema,
  taskViewSchema,
} from './task.ts'

const text = (max: number) => z.string().max(max)
const instant = z.iso.datetime({ offset: true })

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
