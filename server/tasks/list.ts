import type { TASK_SORTS, Task, TaskStatus } from '#protocol/task.ts'
import type { Collection, Find, Where } from '#server/store/store.ts'

export type TaskSort = (typeof TASK_SORTS)[number]

/** Fields are joined by AND; `search` is looked for in names and ids; `from` is inclusive, `to` exclusive (of `createdAt`). */
export interface TaskQuery {
  statuses?: TaskStatus[]
  /** Tasks of these sessions only; what a caller may see is narrowed here. */
  sessionIds?: string[]
  search?: string
  from?: string
  to?: string
  /** Whether the script waits for input. */
  waiting?: boolean
  /** The task that they are to mend. */
  autoFixOf?: string
  /** Default: the newest first. */
  orderBy?: [field: TaskSort, direction: 'asc' | 'desc'][]
  /** With what an agent needs to run them: script and env. */
  runnable?: boolean
  page: number
  size: number
}

/** What a run says of itself, and what makes one: both may be large. */
const OBSERVED = ['steps', 'metrics'] as const
const LARGE = ['script', 'env', ...OBSERVED] as const

type Small = Omit<Task, (typeof LARGE)[number]> & Partial<Pick<Task, 'script' | 'env'>>

/** The page asked for, and how many tasks match in all. */
export async function listTasks(
  tasks: Collection<Task>,
  query: TaskQuery,
): Promise<{ tasks: (Small & { hasScript: boolean })[]; total: number }> {
  const found = await findTasks(tasks, query)
  const ids = { in: found.tasks.map(({ id }) => id) }
  const scripted = await tasks.countBy('id', { id: ids, script: { not: null } })
  const rows = found.tasks.map(task => ({
    ...task,
    statusHistory: task.statusHistory.slice(-1),
    hasScript: scripted[task.id] !== undefined,
  }))
  return { tasks: rows, total: found.total }
}

async function findTasks(
  tasks: Collection<Task>,
  query: TaskQuery,
): Promise<{ tasks: Small[]; total: number }> {
  const where: Where<Task> = {
    ...(query.statuses?.length ? { status: { in: query.statuses } } : {}),
    ...(query.sessionIds ? { sessionId: { in: query.sessionIds } } : {}),
    ...(query.waiting === undefined ? {} : { waitingForInput: query.waiting ? { not: null } : null }),
    ...(query.autoFixOf === undefined ? {} : { autoFixOf: query.autoFixOf }),
    ...(query.from || query.to ? { createdAt: period(query.from, query.to) } : {}),
  }
  const orderBy = query.orderBy ?? [['createdAt', 'desc']]
  const offset = query.page * query.size
  const find = (of: Find<Task>): Promise<Small[]> => tasks.findWithout(query.runnable ? OBSERVED : LARGE, of)
  if (query.search) {
    const range = { orderBy, offset, limit: query.size }
    return searchTasks({ find, count: tasks.count }, where, query.search, range)
  }
  const [found, total] = await Promise.all([
    find({ where, orderBy, offset, limit: query.size }),
    tasks.count(where),
  ])
  return { tasks: found, total }
}

/** The port joins by AND only: those with the text in the name, and those with it in the id alone, each sorted, are merged. */
async function searchTasks(
  tasks: { find(query: Find<Task>): Promise<Small[]>; count(where: Where<Task>): Promise<number> },
  where: Where<Task>,
  search: string,
  range: { orderBy: NonNullable<TaskQuery['orderBy']>; offset: number; limit: number },
): Promise<{ tasks: Small[]; total: number }> {
  const named = { ...where, name: { contains: search } }
  const identified = { ...where, id: { contains: search } }
  const both = { ...named, ...identified }
  const end = range.offset + range.limit
  const [inNames, inIds, names, ids, twice] = await Promise.all([
    tasks.find({ where: named, orderBy: range.orderBy, limit: end }),
    tasks.find({ where: identified, orderBy: range.orderBy, limit: end }),
    tasks.count(named),
    tasks.count(identified),
    tasks.count(both),
  ])
  const merged = new Map([...inNames, ...inIds].map(task => [task.id, task]))
  const sorted = [...merged.values()].sort((a, b) => compare(a, b, range.orderBy))
  return { tasks: sorted.slice(range.offset, end), total: names + ids - twice }
}

function compare(a: Small, b: Small, orderBy: NonNullable<TaskQuery['orderBy']>): number {
  for (const [field, direction] of orderBy) {
    const left = a[field]
    const right = b[field]
    if (left === right) continue
    const rises = left === null || (right !== null && (left as string | number) < (right as string | number))
    return rises === (direction === 'asc') ? -1 : 1
  }
  return a.id < b.id ? -1 : 1
}

/** Stored times are UTC with milliseconds, so that they compare as text. */
function period(from: string | undefined, to: string | undefined) {
  return {
    ...(from ? { gte: new Date(from).toISOString() } : {}),
    ...(to ? { lt: new Date(to).toISOString() } : {}),
  }
}
