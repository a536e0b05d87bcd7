import { z } from 'zod'
import { idSchema } from './ids.ts'
import { envSchema } from './task.ts'
import { startedTaskSchema } from './task-calls.ts'

export const SESSION_STATUSES = ['ACTIVE', 'COMPLETED', 'ARCHIVED'] as const
export const sessionStatusSchema = z.enum(SESSION_STATUSES, {
  error: `unknown status; one of ${SESSION_STATUSES.join(', ')}`,
})

// What git would read as an option, or as a program to run, is no place of a repository.
const repositoryUrl = z
  .string()
  .min(1)
  .max(2000)
  .regex(/^[^-]/, 'must not begin with "-": git would take it for an option')
  .regex(/^(?![A-Za-z0-9+.-]+::)/, 'must not name a helper (helper::address): git would run it')
  .regex(/^\S(.*\S)?$/s, 'must not begin or end with a space')
  .regex(/^\P{Cc}+$/u, 'must not hold control characters')

const repositoryRef = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^-+]/, 'must not begin with "-" or "+": git would take it for an option')
  .regex(
    /^(?!.*\.\.)[^\s\p{Cc}~^:?*[\\]+$/u,
    'must be a branch, a tag or a commit: no spaces, no "..", none of ~ ^ : ? * [ \\',
  )

export const templateSchema = z.strictObject({
  repository: z.strictObject({ url: repositoryUrl, ref: repositoryRef.nullish() }).nullish(),
  env: envSchema.nullish(),
  setupScript: z
    .string()
    .max(1024 * 1024)
    .nullish(),
  autoFixCommand: z
    .string()
    .max(64 * 1024)
    .nullish(),
})

// Everybody who may read a session reads its template.
const newTemplateSchema = templateSchema.refine(
  ({ repository }) => !/^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:[^/@]*@/i.test(repository?.url ?? ''),
  {
    path: ['repository', 'url'],
    message:
      'must not hold a password, which all who read the session would see: leave it out, and let a git credential helper (git config credential.helper) answer on the machine where the agent runs',
  },
)

const tags = z.array(z.string().min(1).max(100)).max(50)

export const sessionSchema = z.object({
  id: idSchema,
  name: z.string(),
  description: z.string().nullable(),
  status: sessionStatusSchema,
  workspaceId: z.string().nullable(),
  template: templateSchema.nullable(),
  tags,
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type Session = z.infer<typeof sessionSchema>

/** Whether agents wait for a session's tasks. */
export const servingSchema = z.object({
  /** That are connected now, to any server. */
  daemons: z.number().int(),
  /** When one was connected, or asked for work, last; null where the server has seen none since it started. */
  lastSeenAt: z.string().nullable(),
})
export type Serving = z.infer<typeof servingSchema>

/** A session as REST shows it. */
export const sessionViewSchema = sessionSchema.extend({
  serving: servingSchema,
  taskCounts: z.object({
    PENDING: z.number().int(),
    PROCESSING: z.number().int(),
    COMPLETED: z.number().int(),
    FAILED: z.number().int(),
    CANCELLED: z.number().int(),
  }),
})
export type SessionView = z.infer<typeof sessionViewSchema>

export const newSessionSchema = z.strictObject({
  id: idSchema.optional(),
  name: z.string().min(1).max(200),
  description: z.string().max(10_000).nullish(),
  workspaceId: z.string().max(200).nullish(),
  template: newTemplateSchema.nullish(),
  tags: tags.default([]),
})
export type NewSession = z.infer<typeof newSessionSchema>

export const sessionPatchSchema = z.strictObject({
  name: z.string().min(1).max(200).optional(),
  description: z.string().max(10_000).nullish(),
  status: sessionStatusSchema.optional(),
  workspaceId: z.string().max(200).nullish(),
  template: newTemplateSchema.nullish(),
  tags: tags.optional(),
})
export type SessionPatch = z.infer<typeof sessionPatchSchema>

/** Answer of `POST /sessions/{id}/tasks/claim`: the task, which is the agent's now, and what it needs to run it. */
export const claimedTaskSchema = startedTaskSchema.extend({ session: sessionSchema })
export type ClaimedTask = z.infer<typeof claimedTaskSchema>
