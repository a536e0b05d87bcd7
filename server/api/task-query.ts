import { z } from '@hono/zod-openapi'
import { idSchema, instantSchema } from '#protocol/ids.ts'
import { listOf } from '#protocol/log-filter.ts'
import { pageQueryShape } from '#protocol/page.ts'
import { TASK_SORTS, TASK_STATUSES, taskStatusSchema } from '#protocol/task.ts'
import type { TaskQuery, TaskSort } from '#server/tasks/list.ts'
import { QUEUE } from '#server/tasks/queue.ts'
import { listed, queryOf } from './query.ts'

const sorts: readonly string[] = TASK_SORTS
const SORT = new RegExp(`^(${sorts.join('|')})(:(asc|desc))?$`)

const shape = {
  ...pageQueryShape,
  status: listed(listOf(taskStatusSchema), TASK_STATUSES),
  search: z.string().max(200).optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  waiting: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .optional()
    .meta({ description: 'true: only tasks whose scripts wait for input; false: only others' }),
  autoFixOf: idSchema.optional().meta({ description: 'Only tasks that are to mend this one' }),
  sort: z
    .string()
    .regex(SORT, `must be one of ${sorts.join(', ')}, and may end in :asc or :desc`)
    .optional(),
  order: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).optional(),
}

export const sessionTasksQuery = queryOf(shape)
export const tasksQuery = queryOf({ ...shape, sessionId: listed(listOf(idSchema)) })

/** @param sessionIds undefined for the tasks of all sessions and of none */
export function tasksOf(query: z.infer<typeof tasksQuery>, sessionIds: string[] | undefined): TaskQuery {
  const { page, size, status: statuses, search, from, to, autoFixOf } = query
  const waiting = query.waiting === undefined ? undefined : query.waiting === 'true'
  return {
    page,
    size,
    statuses,
    search,
    from,
    to,
    waiting,
    autoFixOf,
    sessionIds,
    orderBy: orderOf(query),
  }
}

/** Sorted as asked, else as the queue is worked off. */
export function queueOf(query: z.infer<typeof sessionTasksQuery>, sessionId: string): TaskQuery {
  const tasks = tasksOf(query, [sessionId])
  return { ...tasks, runnable: true, orderBy: query.sort ? tasks.orderBy : QUEUE }
}

function orderOf({
  sort = 'createdAt',
  order,
}: {
  sort?: string
  order?: 'asc' | 'desc'
}): TaskQuery['orderBy'] {
  const [field, direction] = sort.split(':') as [TaskSort, 'asc' | 'desc' | undefined]
  return [[field, direction ?? order ?? (field === 'name' || field === 'status' ? 'asc' : 'desc')]]
}
