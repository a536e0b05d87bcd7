import { type Task, TERMINAL_STATUSES } from '#protocol/task.ts'
import type { Bus } from './live/bus/bus.ts'
import type { SessionNews, TaskNews } from './live/bus/follow.ts'
import type { Hub } from './live/hub.ts'
import type { SessionHub } from './live/session-hub.ts'
import type { SocketIo } from './live/socket-io.ts'
import type { Store } from './store/store.ts'
import type { SessionChange } from './tasks/sessions.ts'
import type { TaskChange, Tasks } from './tasks/tasks.ts'

export interface AnnounceDeps {
  bus: Pick<Bus, 'send'>
  hub: Pick<Hub, 'notify' | 'isWatched' | 'watched'>
  sessionHub: Pick<SessionHub, 'notify' | 'missed'>
  socketIo: Pick<SocketIo, 'task' | 'taskDeleted' | 'missed' | 'stats' | 'hasListeners'>
  tasks: Pick<Tasks, 'find' | 'view'>
  store: Pick<Store, 'tasks'>
  taskEnded(taskId: string): void
}

/** From so many on those that nobody watches any more are forgotten. */
const MAX_SHOWN = 1000

/** Tells everybody who watches a task what happened to it, wherever it happened. */
export function createAnnouncer({ bus, hub, sessionHub, socketIo, tasks, store, taskEnded }: AnnounceDeps) {
  /** When each watched task was changed as it is shown. */
  const shown = new Map<string, string>()

  async function show(task: Task, moved: boolean): Promise<void> {
    if (hub.isWatched(task.id)) remember(task)
    const view = await tasks.view(task)
    hub.notify(task.id, { kind: moved ? 'status' : 'progress', task: view })
    socketIo.task(view)
  }

  function remember({ id, updatedAt }: Task): void {
    if (shown.size >= MAX_SHOWN) forgetUnwatched()
    shown.set(id, updatedAt)
  }

  function forgetUnwatched(): void {
    for (const id of shown.keys()) if (!hub.isWatched(id)) shown.delete(id)
  }

  function cancelled({ id, message }: Pick<Task, 'id' | 'message'>): void {
    hub.notify(id, { kind: 'cancel', taskId: id, message })
  }

  /** A task came to the queue, or changed there: it may have become the first, or been given its script. */
  function queued(sessionId: string | null, status: Task['status']): void {
    if (sessionId !== null && status === 'PENDING') sessionHub.notify(sessionId, { kind: 'work' })
  }

  function sessionIs({ sessionId, status }: Pick<SessionNews, 'sessionId' | 'status'>): void {
    sessionHub.notify(sessionId, status === null ? { kind: 'deleted' } : { kind: 'status', status })
    if (status === 'ACTIVE') sessionHub.notify(sessionId, { kind: 'work' })
  }

  return {
    /** A session changed here. */
    sessionChange({ kind, session }: SessionChange): void {
      const news = { sessionId: session.id, status: kind === 'deleted' ? null : session.status }
      bus.send({ type: 'session', ...news })
      sessionIs(news)
    },
    /** A session changed on another server. */
    sessionElsewhere: sessionIs,
    /** A task changed here. */
    async change({ kind, task, before }: TaskChange): Promise<void> {
      const { id, sessionId, status, message } = task
      const moved = status !== before?.status || differs(task.waitingForInput, before.waitingForInput)
      bus.send({ type: 'task', change: kind, taskId: id, sessionId, status, moved, message })
      if (kind === 'deleted') return socketIo.taskDeleted(id, sessionId)
      queued(sessionId, status)
      if (moved && status === 'CANCELLED') cancelled(task)
      if (moved && TERMINAL_STATUSES.includes(status)) taskEnded(id)
      await show(task, moved)
    },
    /** Something was typed to the task's script here. */
    inputCame(taskId: string): void {
      bus.send({ type: 'input', taskId })
      hub.notify(taskId, { kind: 'input' })
    },
    /** A task changed on another server. */
    async changeElsewhere({ taskId, sessionId, status, moved, message }: TaskNews): Promise<void> {
      if (moved && status === 'CANCELLED') cancelled({ id: taskId, message })
      queued(sessionId, status)
      if (!hub.isWatched(taskId) && !socketIo.hasListeners(taskId, sessionId)) return
      const task = await tasks.find(taskId)
      if (task) await show(task, moved)
    },
    /** What happened to the watched and listed tasks while nobody told. */
    async missed(): Promise<void> {
      socketIo.missed()
      await sessionHub.missed()
      const { watched } = hub
      forgetUnwatched()
      for (const id of watched) hub.notify(id, { kind: 'input' })
      const found = watched.length === 0 ? [] : await store.tasks.find({ where: { id: { in: watched } } })
      for (const task of found.filter(({ id, updatedAt }) => shown.get(id) !== updatedAt)) {
        if (task.status === 'CANCELLED') cancelled(task)
        await show(task, true)
      }
    },
    /** The logs of these tasks have grown, or their states changed. */
    async stats(taskIds: string[]): Promise<void> {
      for (const taskId of taskIds) {
        const task = await tasks.find(taskId)
        if (task && socketIo.hasListeners(taskId, task.sessionId)) socketIo.stats(await tasks.view(task))
      }
    },
  }
}

function differs(one: Task['waitingForInput'], other: Task['waitingForInput']): boolean {
  return one?.since !== other?.since || one?.prompt !== other?.prompt
}
