import { createRoute, z } from '@hono/zod-openapi'
import { instantSchema } from '#protocol/ids.ts'
import { entryId, logEntrySchema, type NewEntry } from '#protocol/log.ts'
import {
  logSliceSchema,
  logStatsSchema,
  newEntriesSchema,
  postedEntriesSchema,
  postedEntrySchema,
} from '#protocol/log-answers.ts'
import { pageOf, pageSchema } from '#protocol/page.ts'
import type { LogQueries } from '#server/logs/queries.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { demandWrite, taskFor } from './access.ts'
import { answers, named, secured, taskParams } from './describe.ts'
import { readEntries } from './log-body.ts'
import { isSlice, logsQuery, statsQuery } from './log-query.ts'
import { queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface LogsApiDeps {
  tasks: Tasks
  queries: LogQueries
  appendEntries(
    taskId: string,
    entries: NewEntry[],
  ): Promise<{ firstSeq: number; lastSeq: number; accepted: number }>
  /** @param before only entries older than this time (ms); how many were deleted */
  deleteLogs(taskId: string, before: number | undefined): Promise<number>
}

const tags = ['Logs']
const path = '/tasks/{taskId}/logs'
const entries = named('LogEntry', logEntrySchema)
const logPage = named('LogPage', pageSchema(entries))
const logSlice = named('LogSlice', logSliceSchema.extend({ content: z.array(entries) }))

export function logsApi({ tasks, queries, appendEntries, deleteLogs }: LogsApiDeps) {
  const api = createRouter()

  const post = createRoute({
    method: 'post',
    path,
    tags,
    security: secured,
    summary: 'Write one entry or many; an unknown task is created',
    request: { params: taskParams, query: queryOf({}) },
    responses: answers(
      z.union([postedEntrySchema, postedEntriesSchema]),
      '`{id, seq}` for one entry by itself, `{accepted, lastSeq}` for a list',
    ),
  })
  const { request, ...described } = post
  // Its body is read by readEntries, which tells bad entries of every form apart; the document shows the schema all the same.
  api.openAPIRegistry.registerPath({ ...described, request: { ...request, body: postedBody } })
  api.openapi({ ...post, hide: true }, async c => {
    const { taskId } = c.req.valid('param')
    const principal = c.get('principal')
    const sessionId = await demandWrite(tasks, principal, taskId)
    const posted = await readEntries(c)
    await tasks.ensure(taskId, principal, sessionId)
    const { lastSeq, accepted } = await appendEntries(taskId, posted.entries)
    if (posted.single) return c.json({ id: entryId(taskId, lastSeq), seq: lastSeq }, 200)
    return c.json({ accepted, lastSeq }, 200)
  })

  api.openapi(
    createRoute({
      method: 'get',
      path,
      tags,
      security: secured,
      summary: 'Read a page of entries, or those next to a seq',
      request: { params: taskParams, query: logsQuery },
      responses: answers(
        z.union([logPage, logSlice]),
        'A page; with `after`, `before` or `limit` a slice with a cursor',
      ),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const {
        page = 0,
        size = 100,
        after,
        before,
        limit = 100,
        order,
        token: _,
        ...filter
      } = c.req.valid('query')
      await taskFor(tasks, c.get('principal'), 'read', taskId)
      if (!isSlice(c.req.valid('query'))) {
        const found = await queries.page(taskId, filter, page, size, order ?? 'asc')
        return c.json(pageOf(found.entries, page, size, found.total), 200)
      }
      const backwards = after === undefined && before !== undefined
      const range = { after, before, limit, order: order ?? (backwards ? 'desc' : 'asc') } as const
      const { entries: content, ...slice } = await queries.slice(taskId, filter, range)
      return c.json({ content, ...slice }, 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: `${path}/stats`,
      tags,
      security: secured,
      summary: 'Count entries by level and source, over time where an interval is given',
      request: { params: taskParams, query: statsQuery },
      responses: answers(named('LogStats', logStatsSchema), 'The counts'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { interval, token: _, ...filter } = c.req.valid('query')
      await taskFor(tasks, c.get('principal'), 'read', taskId)
      return c.json(await queries.stats(taskId, filter, interval), 200)
    },
  )

  api.openapi(
    createRoute({
      method: 'delete',
      path,
      tags,
      security: secured,
      summary: 'Delete all entries, or those before a time',
      request: { params: taskParams, query: queryOf({ before: instantSchema.optional() }) },
      responses: answers(z.object({ deleted: z.number().int() }), 'How many were deleted'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { before } = c.req.valid('query')
      await taskFor(tasks, c.get('principal'), 'delete', taskId)
      const deleted = await deleteLogs(taskId, before === undefined ? undefined : Date.parse(before))
      return c.json({ deleted }, 200)
    },
  )

  return api
}

const postedBody = {
  required: true,
  description:
    'One entry, `{entries: […]}`, an array, or one entry a line; may be gzipped (Content-Encoding)',
  content: {
    'application/json': { schema: named('NewEntries', newEntriesSchema) },
    'application/x-ndjson': { schema: z.string() },
  },
}
