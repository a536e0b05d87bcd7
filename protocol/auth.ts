import { z } from 'zod'
import { idSchema } from './ids.ts'

/** Rising rights, except that `agent` writes only what its own sessions or task hold. */
export const ROLES = ['viewer', 'agent', 'operator', 'admin'] as const
export const roleSchema = z.enum(ROLES, { error: `unknown role; one of ${ROLES.join(', ')}` })
export type Role = z.infer<typeof roleSchema>

/** An API key as it is stored: `hash` is the hex SHA-256 of the key, which is shown once and never kept. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  sessionIds: z.array(z.string()).nullable(),
  hash: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
})
export type ApiKey = z.infer<typeof apiKeySchema>

export const apiKeyViewSchema = apiKeySchema.omit({ hash: true })
export type ApiKeyView = z.infer<typeof apiKeyViewSchema>

/** The answer to a creation, the only one that holds the key itself. */
export const createdApiKeySchema = apiKeyViewSchema.extend({ key: z.string() })

export const newApiKeySchema = z.strictObject({
  name: z.string().min(1).max(200),
  role: roleSchema,
  sessionIds: z.array(idSchema).max(1000).nullish(),
  expiresAt: z.iso.datetime({ offset: true }).nullish(),
})
export type NewApiKey = z.infer<typeof newApiKeySchema>

export const loginSchema = z.strictObject({ key: z.string().min(1, 'paste an API key').max(8192) })

/** Who is asking, as `GET /me` and `POST /login` answer. */
export const meSchema = z.object({
  name: z.string(),
  role: roleSchema,
  sessionIds: z.array(z.string()).nullable(),
  taskId: z.string().nullable(),
  /** False where the server runs with `KERUTA_AUTH=off`. */
  authRequired: z.boolean(),
  version: z.string(),
})
export type Me = z.infer<typeof meSchema>
