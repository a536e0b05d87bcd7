import { z } from 'zod'

export const MAX_ARTIFACT_PATH_CHARS = 1024

/** Relative, with `/`, without a way out of its folder. */
export const artifactPathSchema = z
  .string()
  .min(1)
  .max(MAX_ARTIFACT_PATH_CHARS)
  .refine(
    path =>
      path.isWellFormed() &&
      !/^\/|\\|\p{Cc}/u.test(path) &&
      path.split('/').every(name => !['', '.', '..'].includes(name)),
    'must be relative, with / between names, and without . or .. or control characters',
  )

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')

/** What a console can show of a file without fetching all of it. */
export const previewSchema = z.object({
  kind: z.enum(['image', 'text', 'pdf', 'none']),
  /** Pixels. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
})

/** A file that a task left behind. */
export const artifactSchema = z.object({
  id: z.string(),
  taskId: z.string(),
  path: z.string(),
  size: z.number().int(),
  contentType: z.string(),
  /** Null until all of it has arrived, where the sender did not say it. */
  sha256: z.string().nullable(),
  description: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  /** False while it is on its way: there is nothing to be had yet. */
  complete: z.boolean(),
  preview: previewSchema.nullable(),
  createdAt: z.string(),
})
export type Artifact = z.infer<typeof artifactSchema>

/** With how much of an unfinished upload is kept: go on there. */
export const artifactViewSchema = artifactSchema.extend({ receivedBytes: z.number().int() })
export type ArtifactView = z.infer<typeof artifactViewSchema>

/**
 * Body of `POST /tasks/{id}/artifacts` as JSON: announces an upload, whose bytes `PUT /artifacts/{id}/content` brings. Said again
 * with the same path, size and sha256 it answers the same artifact, without sha256 a new one. Another file of this path is replaced once this one is whole.
 */
export const newArtifactSchema = z.strictObject({
  path: artifactPathSchema,
  size: z.number().int().min(0),
  /** Left out, it is for the sender to compare the answer's with the file's, once all has arrived. */
  sha256: sha256.optional(),
  contentType: z.string().max(200).optional(),
  description: z.string().max(10_000).nullish(),
  metadata: z.record(z.string(), z.unknown()).default({}),
})
export type NewArtifact = z.infer<typeof newArtifactSchema>
