import { KerutaError } from '#protocol/errors.ts'
import type { NewSession, Session, SessionPatch, SessionView } from '#protocol/session.ts'
import type { TaskStatus } from '#protocol/task.ts'
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

  async function view(session: Session): Promise<SessionView> {
    const counts = await tasks.countBy('status', { sessionId: session.id })
    const of = (status: TaskStatus) => counts[status] ?? 0
    return {
      ...session,
      taskCounts: {
        PENDING: of('PENDING'),
        PROCESSING: of('PROCESSING'),
        COMPLETED: of('COMPLETED'),
        FAILED: of('FAILED'),
        CANCELLED: of('CANCELLED'),
      },
    }
  }

  return {
    get,
    view,
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
      return { sessions: await Promise.all(found.map(view)), total }
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
      for (;;) {
        const some = await tasks.find({ where: { sessionId: id }, limit: 100 })
        if (some.length === 0) break
        for (const task of some) await deps.removeTask(task.id)
      }
      if ((await sessions.remove({ id })) > 0) deps.onChange({ kind: 'deleted', session })
    },
  }
}
