import { KerutaError } from '#protocol/errors.ts'
import type { LogState } from '#protocol/log.ts'
import type { Session } from '#protocol/session.ts'
import type { Task, TaskRow, TaskView } from '#protocol/task.ts'
import type {
  Claim,
  FailTask,
  NewTask,
  ProgressTask,
  ReleaseTask,
  StartTask,
  SuccessTask,
  TaskPatch,
} from '#protocol/task-calls.ts'
import type { SegmentReader, Store, TaskHead } from '#server/store/store.ts'
import { createTaskChanges, type TaskChange, type TaskChanges } from './changes.ts'
import { createClaim } from './claim.ts'
import { createLeases, type Leases } from './leases.ts'
import { listTasks, type TaskQuery } from './list.ts'
import { beganWithLines, LINES_CAME_FIRST, newTask } from './new-task.ts'
import {
  askedRetryPatch,
  backPatch,
  cancelPatch,
  failPatch,
  illegalTransition,
  isLostBy,
  LEAVES,
  leaseFrom,
  releasePatch,
  reportedAt,
  startPatch,
  successPatch,
  type Transition,
} from './transitions.ts'
import { createTaskViewer } from './views.ts'

export type { TaskChange }

export interface TasksDeps {
  store: Pick<Store, 'tasks' | 'sessions'>
  segments: Pick<SegmentReader, 'totals' | 'heads'>
  logState(task: Pick<Task, 'id' | 'status'>, head: TaskHead): LogState
  /** Deletes a task's whole log. */
  deleteLogs(taskId: string): Promise<unknown>
  /** Called after the store has the change. */
  onChange(change: TaskChange): void
  /** Milliseconds since the epoch. */
  clock: () => number
  newId: () => string
}

/** Whoever acts, as the status history names them. */
export interface Actor {
  name: string
}

/**
 * The life of a task. Every change is one atomic update that names the state it expects; one that comes too late is refused with
 * ILLEGAL_TRANSITION and changes nothing. An unknown task is NOT_FOUND, except where a method creates it.
 */
export interface Tasks extends TaskChanges, Leases {
  find(id: string): Promise<Task | undefined>
  view(task: Task): Promise<TaskView>
  /** However many tasks, and however large they are, a few small queries. */
  list(query: TaskQuery): Promise<{ tasks: TaskRow[]; total: number }>
  /** All tasks of these sessions. */
  idsOf(sessionIds: string[]): Promise<string[]>
  /** CONFLICT where the id is taken. */
  create(input: NewTask, by: Actor): Promise<Task>
  /** Creates a PENDING task named after its id, unless there is one. Cheap for tasks that were seen lately. */
  ensure(id: string, by: Actor, sessionId?: string | null): Promise<void>
  /** Another server may have removed any of them. */
  forget(): void
  /** Another server removed the task. Lines that were being stored here meanwhile bring it back, as those that come later do. */
  removedElsewhere(id: string): Promise<void>
  patch(id: string, patch: TaskPatch): Promise<Task>
  /** Removes the task and its log. CONFLICT while it runs. Who writes to it then begins it anew. */
  remove(id: string): Promise<void>
  /** PENDING → PROCESSING; creates an unknown task. Repeated by the agent that runs it, it changes nothing. */
  start(id: string, input: StartTask, by: Actor): Promise<Task>
  /**
   * The first task of the session's queue that can be run is this agent's from now on; undefined where there is none. CONFLICT
   * where the session is not ACTIVE.
   */
  claim(sessionId: string, input: Claim, by: Actor): Promise<{ task: Task; session: Session } | undefined>
  /** PROCESSING → PENDING: the agent gives the task back, and another may have it. */
  release(id: string, input: ReleaseTask, by: Actor): Promise<Task>
  success(id: string, input: SuccessTask, by: Actor): Promise<Task>
  fail(id: string, input: FailTask, by: Actor): Promise<Task>
  progress(id: string, input: ProgressTask): Promise<Task>
  cancel(id: string, message: string | null | undefined, by: Actor): Promise<Task>
  /** FAILED or CANCELLED → PENDING, as the next attempt. */
  retry(id: string, message: string | null | undefined, by: Actor): Promise<Task>
}

/** How many task ids `ensure` remembers. */
const KNOWN_TASKS = 10_000

export function createTasks(deps: TasksDeps): Tasks {
  const { tasks } = deps.store
  const changes = createTaskChanges({ tasks, onChange: deps.onChange, clock: deps.clock })
  const { insert, change } = changes
  const viewsOf = createTaskViewer(deps.segments, deps.logState)
  const known = new Set<string>()

  /** @param isNew whether a task is to be made there; one that has run already is kept in a session that is over, too */
  async function checkSession(sessionId: string | null | undefined, isNew = true): Promise<void> {
    if (sessionId === null || sessionId === undefined) return
    const session = await deps.store.sessions.get(sessionId)
    const problem = !session
      ? `there is no session ${sessionId}; create it with POST /api/v1/sessions`
      : isNew && session.status !== 'ACTIVE'
        ? `session ${sessionId} is ${session.status.toLowerCase()} and takes no new tasks: PATCH its status to ACTIVE first`
        : undefined
    if (problem === undefined) return
    throw new KerutaError('BAD_REQUEST', problem, { errors: [{ path: 'sessionId', message: problem }] })
  }

  /** @param agentId whose run it must be, where it is given */
  const transition = (
    id: string,
    name: Transition,
    agentId: string | undefined,
    patchOf: (task: Task, now: number) => Partial<Task>,
  ) =>
    change(id, (task, now) => {
      const mayLeave = LEAVES[name].includes(task.status) && (agentId ?? task.agentId) === task.agentId
      // The true end of a run stands above the presumed one.
      const mayEnd = (name === 'success' || name === 'fail') && isLostBy(task, agentId)
      if (!mayLeave && !mayEnd) throw illegalTransition(task, name, agentId)
      return patchOf(task, now)
    })

  async function create(input: NewTask, by: Actor): Promise<Task> {
    await checkSession(input.sessionId)
    const id = input.id ?? deps.newId()
    const now = new Date(deps.clock()).toISOString()
    const task = newTask(id, now, by.name, { ...input, name: input.name ?? id })
    if (await insert(task)) return task
    throw new KerutaError('CONFLICT', `there is a task ${id} already`, {
      errors: [{ path: 'id', message: 'is taken' }],
    })
  }

  async function ensure(id: string, by: Actor, sessionId: string | null = null): Promise<void> {
    if (known.has(id)) return
    if (!(await tasks.get(id))) {
      const now = new Date(deps.clock()).toISOString()
      await insert(newTask(id, now, by.name, { name: id, sessionId }, LINES_CAME_FIRST))
    }
    if (known.size >= KNOWN_TASKS) known.delete(known.values().next().value!)
    known.add(id)
  }

  return {
    ...changes,
    find: id => tasks.get(id),
    async view(task) {
      const [view] = await viewsOf([task])
      return { ...view!, hasScript: task.script !== null }
    },
    async list(query) {
      const found = await listTasks(tasks, query)
      return { tasks: await viewsOf(found.tasks), total: found.total }
    },
    async idsOf(sessionIds) {
      const found = await tasks.find({ where: { sessionId: { in: sessionIds } } })
      return found.map(task => task.id)
    },
    create,
    ensure,
    forget: () => known.clear(),
    async removedElsewhere(id) {
      known.delete(id)
      if ((await deps.segments.totals([id])).get(id)?.lines) await ensure(id, { name: 'agent' })
    },
    async patch(id, patch) {
      return change(id, task => {
        const runs = task.status === 'PROCESSING' && (patch.script !== undefined || patch.env !== undefined)
        if (runs) throw new KerutaError('CONFLICT', `task ${id} runs: its script and env cannot change now`)
        return definedFields(patch)
      })
    },
    async remove(id) {
      const task = await tasks.get(id)
      const totals = task ? undefined : await deps.segments.totals([id])
      if (!task && !totals?.get(id)?.lines) throw new KerutaError('NOT_FOUND', `there is no task ${id}`)
      if (task && (await tasks.remove({ id, status: { not: 'PROCESSING' } })) === 0 && (await tasks.get(id)))
        throw new KerutaError('CONFLICT', `task ${id} runs: cancel it before you delete it`)
      known.delete(id)
      await deps.deleteLogs(id)
      if (task) deps.onChange({ kind: 'deleted', task })
    },
    async start(id, input, by) {
      const found = await tasks.get(id)
      if (!found?.sessionId) await checkSession(input.sessionId, !found)
      if (!found) {
        const createdAt = new Date(reportedAt(input.at, deps.clock(), null)).toISOString()
        // Its script comes with the start: until then the queue would give it to others.
        const { name = id, sessionId } = input
        await insert(newTask(id, createdAt, by.name, { name, sessionId }))
      }
      return change(id, (task, now) => {
        const { agentId, message } = input
        const leaseUntil = input.heartbeat ? leaseFrom(now) : null
        if (isLostBy(task, agentId)) return backPatch(task, { by: by.name, at: now, message }, leaseUntil)
        if (task.status === 'PROCESSING' && agentId !== undefined && task.agentId === agentId)
          return againPatch(task, input, leaseUntil)
        if (!LEAVES.start.includes(task.status)) throw illegalTransition(task, 'start')
        const at = reportedAt(input.at, now, beganWithLines(task) ? null : task.createdAt)
        return startPatch(task, { by: by.name, at, message }, { ...input, leaseUntil })
      })
    },
    claim: createClaim({ changes, ...deps }),
    ...createLeases({ changes, ...deps }),
    release: (id, input, by) =>
      transition(id, 'release', input.agentId, (task, now) =>
        releasePatch(task, { by: by.name, at: now, message: input.message }),
      ),
    success: (id, input, by) =>
      transition(id, 'success', input.agentId, (task, now) => {
        const at = reportedAt(input.at, now, task.startedAt)
        return successPatch(task, { by: by.name, at, message: input.message }, input)
      }),
    fail: (id, input, by) =>
      transition(id, 'fail', input.agentId, (task, now) => {
        const at = reportedAt(input.at, now, task.startedAt)
        return failPatch(task, { by: by.name, at, message: input.message }, input)
      }),
    progress: (id, input) =>
      change(id, task => {
        if (task.status === 'PROCESSING')
          return { progress: input.progress, progressMessage: input.message ?? null }
        throw new KerutaError('ILLEGAL_TRANSITION', `task ${id} is ${task.status}; progress needs PROCESSING`)
      }),
    cancel: (id, message, by) =>
      transition(id, 'cancel', undefined, (task, now) =>
        cancelPatch(task, { by: by.name, at: now, message }),
      ),
    retry: (id, message, by) =>
      transition(id, 'retry', undefined, (task, now) =>
        askedRetryPatch(task, { by: by.name, at: now, message }),
      ),
  }
}

function definedFields(patch: TaskPatch): Partial<Task> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
}

/** What a repeated start says that is not known yet. */
function againPatch(task: Task, input: StartTask, leaseUntil: string | null): Partial<Task> | undefined {
  const interactive = input.interactive ?? task.interactive
  const begins = task.leaseUntil === null && leaseUntil !== null
  if (interactive === task.interactive && !begins) return undefined
  return { interactive, leaseUntil: task.leaseUntil ?? leaseUntil }
}
