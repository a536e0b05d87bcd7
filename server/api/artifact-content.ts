import { createRoute, z } from '@hono/zod-openapi'
import { artifactViewSchema } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import { problemResponse } from '#server/http/problem.ts'
import { rawBody } from './artifact-body.ts'
import { type ArtifactsApiDeps, artifactFor, artifactParams } from './artifacts.ts'
import { placeOf, rangeOf } from './byte-range.ts'
import { answers, answersText, named, secured } from './describe.ts'
import { downloadHeaders, streamOf } from './download.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface ArtifactContentDeps extends ArtifactsApiDeps {
  artifactSent(bytes: number): void
}

const common = {
  path: '/artifacts/{artifactId}/content' as const,
  tags: ['Artifacts'],
  security: secured,
}

export function artifactContentApi(deps: ArtifactContentDeps) {
  const { artifacts } = deps
  const api = createRouter()

  api.openapi(
    createRoute({
      ...common,
      method: 'get',
      summary: 'Download an artifact, or a range of it',
      request: {
        params: artifactParams,
        query: queryOf({
          inline: z
            .enum(['0', '1', 'true', 'false'], { error: 'must be 0, 1, true or false' })
            .optional()
            .meta({ description: 'To be shown, not saved; images, text and PDF only' }),
        }),
      },
      responses: {
        ...answersText('The bytes', '*/*'),
        206: { description: 'The bytes that `Range` asks for' },
        304: { description: 'It is what `If-None-Match` says' },
        416: { description: 'There is nothing in that range' },
      },
    }),
    async c => {
      const { artifactId } = c.req.valid('param')
      const { inline } = c.req.valid('query')
      const artifact = await artifactFor(deps, c.get('principal'), 'read', artifactId)
      const { path, size, complete } = artifact
      if (!complete)
        throw new KerutaError('CONFLICT', `${path} is on its way: there is nothing to be had of it yet`)
      const headers = downloadHeaders(artifact, inline === '1' || inline === 'true')
      if (sameTag(c.req.header('if-none-match'), headers.ETag)) return c.body(null, 304, headers)
      const ifRange = c.req.header('if-range')
      const range =
        ifRange === undefined || ifRange === headers.ETag ? rangeOf(c.req.header('range'), size) : undefined
      if (range === 'unsatisfiable') {
        const message = `${path} has ${size} bytes: nothing is in ${c.req.header('range')}`
        const refusal = problemResponse(new KerutaError('RANGE_NOT_SATISFIABLE', message))
        refusal.headers.set('Content-Range', `bytes */${size}`)
        return refusal
      }
      const { start, end } = range ?? { start: 0, end: size }
      headers['Content-Length'] = String(end - start)
      if (range) headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`
      const status = range ? 206 : 200
      // Nobody would ever end what a HEAD had opened.
      if (c.req.method === 'HEAD') return c.body(null, status, headers)
      const source = await artifacts.open(artifact, start, end)
      return c.body(streamOf(source, deps.artifactSent), status, headers)
    },
  )

  api.openapi(
    createRoute({
      ...common,
      method: 'put',
      summary:
        'Bring the bytes of an announced artifact, all or (with Content-Range) from `receivedBytes` on',
      request: {
        params: artifactParams,
        query: queryOf({}),
        body: { content: { '*/*': { schema: z.string().meta({ format: 'binary' }) } } },
      },
      responses: answers(
        named('Artifact', artifactViewSchema),
        'The artifact; complete once its last byte has come and its sha256 is right',
      ),
    }),
    async c => {
      const { artifactId } = c.req.valid('param')
      await artifactFor(deps, c.get('principal'), 'write', artifactId)
      const { length, chunks } = rawBody(c)
      const range = c.req.header('content-range')
      const place = range === undefined ? { offset: 0, length } : placeOf(range, length)
      const artifact = await artifacts.receive(artifactId, place, range !== undefined, chunks)
      return c.json(await artifacts.view(artifact), 200)
    },
  )

  return api
}

function sameTag(header: string | undefined, tag: string | undefined): boolean {
  const tags = (header ?? '').split(',').map(word => word.trim().replace(/^W\//, ''))
  return tag !== undefined && (tags.includes(tag) || tags.includes('*'))
}
