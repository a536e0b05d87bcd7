import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { compress } from 'hono/compress'
import { logEntrySchema } from '#protocol/log.ts'
import { type ExportFormat, exportFormatSchema } from '#protocol/log-answers.ts'
import { type LogFilter, refineFilter } from '#protocol/log-filter.ts'
import { demand, type Principal, visibleSessions } from '#server/auth/principal.ts'
import type { LogQueries } from '#server/logs/queries.ts'
import type { Tasks } from '#server/tasks/tasks.ts'
import { taskFor } from './access.ts'
import { answers, answersText, secured, taskParams } from './describe.ts'
import { searchQuery, streamQuery } from './log-query.ts'
import { filterParameters, queryOf } from './query.ts'
import { createRouter } from './router.ts'

export interface LogFilesApiDeps {
  tasks: Tasks
  queries: LogQueries
  /** Answers as server-sent events: the stored entries after `after`, then live ones. */
  streamLogs(
    principal: Principal,
    taskId: string,
    filter: LogFilter,
    after: number | undefined,
  ): Promise<Response>
}

const tags = ['Logs']
const CONTENT_TYPES: Record<ExportFormat, string> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
}

/** Logs as files, as a live stream, and searched across tasks. */
export function logFilesApi({ tasks, queries, streamLogs }: LogFilesApiDeps) {
  const api = createRouter()

  api.openapi(
    createRoute({
      method: 'get',
      path: '/tasks/{taskId}/logs/export',
      tags,
      security: secured,
      summary: 'Download the entries as a file; gzipped where Accept-Encoding says so',
      request: {
        params: taskParams,
        query: queryOf({ ...filterParameters, format: exportFormatSchema.default('json') }).superRefine(
          refineFilter,
        ),
      },
      responses: answersText(
        'The file',
        'application/json',
        'application/x-ndjson',
        'text/csv',
        'text/plain',
      ),
      middleware: [compress({ contentTypeFilter: type => !type.startsWith('application/problem') })] as const,
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { format, token: _, ...filter } = c.req.valid('query')
      await taskFor(tasks, c.get('principal'), 'read', taskId)
      const name = `${taskId.replaceAll(':', '_')}_logs.${format}`
      const headers = {
        'Content-Type': CONTENT_TYPES[format],
        'Content-Disposition': `attachment; filename="${name}"`,
      }
      // Nobody would ever end what a HEAD had opened.
      if (c.req.method === 'HEAD') return c.body(null, 200, headers)
      return c.body(await queries.export(taskId, filter, format), 200, headers)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: '/tasks/{taskId}/logs/stream',
      tags,
      security: secured,
      summary: 'Follow the entries as server-sent events; Last-Event-ID or after resumes',
      request: { params: taskParams, query: streamQuery },
      responses: answersText('Events whose `id` is the seq', 'text/event-stream'),
    }),
    async c => {
      const { taskId } = c.req.valid('param')
      const { after, token: _, ...filter } = c.req.valid('query')
      const principal = c.get('principal')
      // A reader may wait for a task that has yet to come.
      const task = await tasks.find(taskId)
      demand(principal, 'read', { taskId, sessionId: task?.sessionId ?? null })
      if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
      return streamLogs(principal, taskId, filter, lastEventId(c) ?? after)
    },
  )

  api.openapi(
    createRoute({
      method: 'get',
      path: '/logs/search',
      tags,
      security: secured,
      summary: 'Search the logs of all tasks, the newest entries first',
      request: { query: searchQuery },
      responses: answers(
        z.object({ content: z.array(logEntrySchema), cursor: z.string().nullable() }),
        'Entries, and the cursor of the next ones; null at the end',
      ),
    }),
    async c => {
      const { limit, cursor, taskId, sessionId, token: _, ...filter } = c.req.valid('query')
      const principal = c.get('principal')
      const taskIds = await searchable(principal, taskId, sessionId)
      const { entries, cursor: next } = await queries.search(filter, { limit, cursor, taskIds })
      return c.json({ content: entries, cursor: next }, 200)
    },
  )

  /** The tasks that a search is limited to; undefined for all. */
  async function searchable(
    principal: Principal,
    taskId: string[] | undefined,
    sessionId: string[] | undefined,
  ): Promise<string[] | undefined> {
    if (principal.taskId !== null) return [principal.taskId]
    const visible = visibleSessions(principal)
    const sessions = sessionId?.filter(id => visible === null || visible.includes(id)) ?? visible
    if (sessions === null) return taskId
    const ids = await tasks.idsOf(sessions)
    return taskId ? ids.filter(id => taskId.includes(id)) : ids
  }

  return api
}

/** A browser sends it by itself when it reconnects: it then knows better than the address. */
function lastEventId(c: Context): number | undefined {
  const id = c.req.header('last-event-id')?.trim() ?? ''
  return /^\d{1,15}$/.test(id) ? Number(id) : undefined
}
