import { KerutaError } from '#protocol/errors.ts'
import type { NewSession, Serving, Session, SessionPatch, SessionView } from '#protocol/session.ts'
import { TASK_STATUSES, type TaskStatus } from '#protocol/task.ts'
import type { Store, Where } from '#server/store/store.ts'
import { firstOfQueue } from './queue.ts'

export interface SessionChange {
  kind: 'updated' | 'deleted'
  session: Session
}

export interface SessionsDeps {
  store: Pick<Store, 'tasks' | 'sessions'>
  /** Removes one task with its log. */
  removeTask(taskId: string): Promise<void>
  /** Called after the store has the change. */
  onChange(change: SessionChange): void
  /** Whether agents wait for its tasks. */
  serving(sessionId: string): Serving
  clock: () => number
  newId: () => string
}

export interface SessionQuery {
  statuses?: Session['status'][]
  /** These only. */
  ids?: string[]
  /** A part of the name. */
  search?: string
  workspaceId?: string
  page: number
  size: number
}

/** Sessions and how many tasks they have in each state. An unknown one is NOT_FOUND. */
export interface Sessions {
  get(id: string): Promise<Session>
  view(session: Session): Promise<SessionView>
  /** Its status, and whether a task waits that an agent could take now; undefined where there is none. */
  state(id: string): Promise<{ status: Session['status']; work: boolean } | undefined>
  /** The newest first. */
  list(query: SessionQuery): Promise<{ sessions: SessionView[]; total: number }>
  /** CONFLICT where the id is taken. */
  create(input: NewSession): Promise<Session>
  patch(id: string, patch: SessionPatch): Promise<Session>
  /** Removes the session with its tasks and their logs. CONFLICT while one of them runs. */
  remove(id: string): Promise<void>
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { sessions, tasks } = deps.store

  async function get(id: string): Promise<Session> {
    const session = await sessions.get(id)
    if (!session) throw new KerutaError('NOT_FOUND', `there is no session ${id}`)
    return session
  }

  /** However many sessions, one query for each status. */
  async function viewsOf(found: Session[]): Promise<SessionView[]> {
    const sessionId = { in: found.map(({ id }) => id) }
    const counted = found.length === 0 ? [] : TASK_STATUSES
    const counts = new Map(
      await Promise.all(
        counted.map(
          async status => [status, await tasks.countBy('sessionId', { status, sessionId })] as const,
        ),
      ),
    )
    return found.map(session => {
      const of = (status: TaskStatus) => counts.get(status)?.[session.id] ?? 0
      return {
        ...session,
        serving: deps.serving(session.id),
        taskCounts: {
          PENDING: of('PENDING'),
          PROCESSING: of('PROCESSING'),
          COMPLETED: of('COMPLETED'),
          FAILED: of('FAILED'),
          CANCELLED: of('CANCELLED'),
        },
      }
    })
  }

  async function removeTasks(sessionId: string): Promise<void> {
    for (;;) {
      const some = await tasks.find({ where: { sessionId }, limit: 100 })
      if (some.length === 0) return
      for (const { id } of some)
        await deps.removeTask(id).catch(error => {
          // Somebody else removes the session, too.
          if (!(error instanceof KerutaError && error.code === 'NOT_FOUND')) throw error
        })
    }
  }

  return {
    get,
    view: async session => (await viewsOf([session]))[0]!,
    async state(id) {
      const session = await sessions.get(id)
      if (session?.status !== 'ACTIVE') return session && { status: session.status, work: false }
      return { status: session.status, work: (await firstOfQueue(tasks, id)) !== undefined }
    },
    async list(query) {
      const where: Where<Session> = {
        ...(query.statuses?.length ? { status: { in: query.statuses } } : {}),
        ...(query.ids ? { id: { in: query.ids } } : {}),
        ...(query.search ? { name: { contains: query.search } } : {}),
        ...(query.workspaceId ? { workspaceId: query.workspaceId } : {}),
      }
      const [found, total] = await Promise.all([
        sessions.find({
          where,
          orderBy: [['createdAt', 'desc']],
          offset: query.page * query.size,
          limit: query.size,
        }),
        sessions.count(where),
      ])
      return { sessions: await viewsOf(found), total }
    },
    async create(input) {
      const now = new Date(deps.clock()).toISOString()
      const session: Session = {
        id: input.id ?? deps.newId(),
        name: input.name,
        description: input.description ?? null,
        status: 'ACTIVE',
        workspaceId: input.workspaceId ?? null,
        template: input.template ?? null,
        tags: input.tags,
        createdAt: now,
        updatedAt: now,
      }
      if (await sessions.insert(session)) return session
      throw new KerutaError('CONFLICT', `there is a session ${session.id} already`, {
        errors: [{ path: 'id', message: 'is taken' }],
      })
    },
    async patch(id, patch) {
      const defined = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      await sessions.update({ id }, { ...defined, updatedAt: new Date(deps.clock()).toISOString() })
      const session = await get(id)
      deps.onChange({ kind: 'updated', session })
      return session
    },
    async remove(id) {
      const session = await get(id)
      const running = await tasks.find({ where: { sessionId: id, status: 'PROCESSING' }, limit: 1 })
      if (running[0])
        throw new KerutaError(
          'CONFLICT',
          `task ${running[0].id} runs: cancel it before you delete its session`,
        )
      await removeTasks(id)
      if ((await sessions.remove({ id })) > 0) deps.onChange({ kind: 'deleted', session })
      // Tasks that were being created while it was still there.
      await removeTasks(id)
    },
  }
}
