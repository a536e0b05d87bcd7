import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import {
  type Artifact,
  artifactPathSchema,
  artifactViewSchema,
  newArtifactSchema,
} from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import { pageOf, pageQueryShape, pageSchema } from '#protocol/page.ts'
import type { Artifacts } from '#server/artifacts/artifacts.ts'
import { type Action, demand, type Principal } from '#server/auth/principal.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { contentTypeOf, rawBody } from './artifact-body.ts'
import { JSON_TYPE, parseJson, readText } from './body.ts'
import { answers, answersNothing, creates, named, secured, taskParams } from './describe.ts'
import { queryOf } from './query.ts'
import { badInput, createRouter } from './router.ts'

export interface ArtifactsApiDeps {
  tasks: Tasks
  artifacts: Artifacts
}

const tags = ['Artifacts']
const path = '/tasks/{taskId}/artifacts'
const view = named('Artifact', artifactViewSchema)
const postQuery = queryOf({
  path: artifactPathSchema.optional().meta({ description: 'The body is the file itself, to be kept here' }),
  description: newArtifactSchema.shape.description.unwrap().unwrap().optional(),
  sha256: newArtifactSchema.shape.sha256,
})
export const artifactParams = z.object({ artifactId: z.string().min(1).max(128) })

export function artifactsApi({ tasks, artifacts }: ArtifactsApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'get',
      path,
      tags,
      security: secured,
      summary: "List a task's artifacts by path; those that are not complete are on their way",
      request: {
        params: taskParams,
        query: queryOf({ ...pageQueryShape, path: z.string().max(2000).optional() }),
      },
      responses: answers(named('ArtifactPage', pageSchema(view)), 'A page of artifacts'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { page, size, path } = c.req.valid('query')
      await taskFor(tasks, c.get('principal'), 'read', taskId)
      const found = await artifacts.list({ taskId, path, page, size })
      return c.json(pageOf(found.artifacts, page, size, found.total), 200)
    },
  )

  const post = createRoute({
    method: 'post',
    path,
    tags,
    security: secured,
    summary: 'Announce an artifact, or with `path` send one whole',
    request: { params: taskParams, query: postQuery },
    responses: creates(
      view,
      'The artifact. Where it is not complete, bring its bytes by PUT /artifacts/{artifactId}/content, from `receivedBytes` on',
    ),
  })
  const { request, ...described } = post
  // The schema would read the file of the second form into memory.
  api.openAPIRegistry.registerPath({ ...described, request: { ...request, body: postedBody } })
  api.openapi({ ...post, hide: true }, async c => {
    const { taskId } = c.req.valid('param')
    const { path, description, sha256 } = c.req.valid('query')
    await taskFor(tasks, c.get('principal'), 'write', taskId)
    if (path === undefined) {
      const announced = await artifacts.announce(taskId, await readAnnouncement(c, { description, sha256 }))
      return c.json(await artifacts.view(announced), 201)
    }
    const { length, chunks } = rawBody(c)
    const file = { path, description, sha256, size: length, contentType: contentTypeOf(c) }
    return c.json(await artifacts.view(await artifacts.put(taskId, file, chunks)), 201)
  })

  api.openapi(
    createRoute({
      method: 'get',
      path: '/artifacts/{artifactId}',
      tags,
      security: secured,
      summary: 'Read what is known of an artifact, and how much of it has come',
      request: { params: artifactParams, query: queryOf({}) },
      responses: answers(view, 'The artifact'),
    }),
    async c => {
      const { artifactId } = c.req.valid('param')
      const artifact = await artifactFor({ tasks, artifacts }, c.get('principal'), 'read', artifactId)
      return c.json(await artifacts.view(artifact), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'delete',
      path: '/artifacts/{artifactId}',
      tags,
      security: secured,
      summary: 'Delete an artifact; whoever may write to its task may do so',
      request: { params: artifactParams, query: queryOf({}) },
      responses: answersNothing('It is gone'),
    }),
    async c => {
      const { artifactId } = c.req.valid('param')
      await artifactFor({ tasks, artifacts }, c.get('principal'), 'write', artifactId)
      await artifacts.remove(artifactId)
      return c.body(null, 204)
    },
  )

  return api
}

/** The artifact, if the caller may do this to its task. Who is limited to some tasks does not learn which others there are. */
export async function artifactFor(
  { tasks, artifacts }: ArtifactsApiDeps,
  principal: Principal,
  action: Action,
  id: string,
): Promise<Artifact> {
  const artifact = await artifacts.find(id)
  const task = artifact && (await tasks.find(artifact.taskId))
  demand(principal, action, { taskId: task?.id, sessionId: task?.sessionId ?? null })
  if (artifact && task) return artifact
  throw new KerutaError('NOT_FOUND', `there is no artifact ${id}`)
}

async function readAnnouncement(c: Context, forFiles: { description?: string; sha256?: string }) {
  const [stray] = Object.entries(forFiles).flatMap(([name, value]) => (value === undefined ? [] : name))
  if (stray !== undefined)
    throw new KerutaError(
      'BAD_REQUEST',
      `query: ${stray} goes with path and the file as the body; an announcement has it in its JSON`,
    )
  const text = await readText(c, [JSON_TYPE])
  if (text === '')
    throw new KerutaError(
      'BAD_REQUEST',
      'announce an artifact by JSON ({"path", "size", "sha256"}), or name its path in the query (?path=…) and send the file as the body',
    )
  const result = newArtifactSchema.safeParse(parseJson(text))
  if (result.success) return result.data
  throw badInput('body', result.error.issues)
}

const postedBody = {
  required: true,
  description: 'The announcement as JSON; with `path` in the query the file itself, of any type and length',
  content: {
    'application/json': { schema: named('NewArtifact', newArtifactSchema) },
    '*/*': { schema: z.string().meta({ format: 'binary' }) },
  },
}
