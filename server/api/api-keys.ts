import { createRoute, z } from '@hono/zod-openapi'
import { apiKeyViewSchema, createdApiKeySchema, newApiKeySchema } from '#protocol/auth.ts'
import { pageOf, pageQueryShape, pageSchema } from '#protocol/page.ts'
import type { ApiKeys } from '#server/auth/api-keys.ts'
import { demand } from '#server/auth/principal.ts'
import { readsJson } from './body.ts'
import { answers, answersNothing, creates, jsonBody, named, secured } from './describe.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

const tags = ['API keys']
const keyParams = z.object({ keyId: z.string().min(1).max(200) })

export function apiKeysApi({ keys }: { keys: Pick<ApiKeys, 'list' | 'create' | 'revoke'> }) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'get',
      path: '/api-keys',
      tags,
      security: secured,
      summary: 'List API keys, the newest first',
      request: { query: queryOf(pageQueryShape) },
      responses: answers(
        named('ApiKeyPage', pageSchema(named('ApiKey', apiKeyViewSchema))),
        'A page of keys',
      ),
    }),
    async c => {
      const { page, size } = c.req.valid('query')
      demand(c.get('principal'), 'keys')
      const all = await keys.list()
      return c.json(pageOf(all.slice(page * size, (page + 1) * size), page, size, all.length), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'post',
      path: '/api-keys',
      tags,
      security: secured,
      summary: 'Create an API key; it is shown in this answer alone',
      request: { query: queryOf({}), body: jsonBody(named('NewApiKey', newApiKeySchema)) },
      responses: creates(named('CreatedApiKey', createdApiKeySchema), 'The key'),
      middleware: readsJson,
    }),
    async c => {
      demand(c.get('principal'), 'keys')
      return c.json(await keys.create(c.req.valid('json')), 201)
    },
  )

  api.openapi(
    createRoute({
      method: 'delete',
      path: '/api-keys/{keyId}',
      tags,
      security: secured,
      summary: 'Revoke an API key, and what it has open, at once',
      request: { params: keyParams, query: queryOf({}) },
      responses: answersNothing('It is revoked'),
    }),
    async c => {
      demand(c.get('principal'), 'keys')
      await keys.revoke(c.req.valid('param').keyId)
      return c.body(null, 204)
    },
  )

  return api
}
