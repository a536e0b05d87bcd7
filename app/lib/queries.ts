import { useQuery } from '@tanstack/react-query'
import type { ArtifactView } from '#protocol/artifact.ts'
import type { Me } from '#protocol/auth.ts'
import type { Page } from '#protocol/page.ts'
import type { SessionView } from '#protocol/session.ts'
import { MAX_AUTO_FIX_CHAIN, type TaskRow, type TaskStatus, type TaskView } from '#protocol/task.ts'
import { ApiError, get, segment } from './api.ts'

export type TaskList = Page<TaskRow>

export const keys = {
  me: ['me'] as const,
  task: (id: string) => ['task', id] as const,
  editedTask: (id: string) => ['edited task', id] as const,
  taskLists: ['tasks'] as const,
  tasks: (params: Record<string, string>) => ['tasks', params] as const,
  sessionLists: ['sessions'] as const,
  sessions: (params: Record<string, string | number>) => ['sessions', params] as const,
  sessionViews: ['session'] as const,
  session: (id: string) => ['session', id] as const,
  artifacts: (taskId: string) => ['artifacts', taskId] as const,
}

const ASK_AGAIN_MS = 5000

export const useMe = () =>
  useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => get<Me>('/me', {}, signal),
    staleTime: 60_000,
    // Nothing else is asked for until this is answered.
    refetchInterval: ({ state }) => state.status === 'error' && ASK_AGAIN_MS,
  })

export const useTask = (id: string) =>
  useQuery({
    queryKey: keys.task(id),
    queryFn: ({ signal }) => get<TaskView>(`/tasks/${segment(id)}`, {}, signal),
  })

/** The task as it is when it begins to be edited: a list does not have all of it. */
export const useEditedTask = (id: string) =>
  useQuery({
    queryKey: keys.editedTask(id),
    queryFn: ({ signal }) => get<TaskView>(`/tasks/${segment(id)}`, {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })

export const useTasks = (params: Record<string, string>) =>
  useQuery({
    queryKey: keys.tasks(params),
    queryFn: ({ signal }) => get<TaskList>('/tasks', params, signal),
    placeholderData: previous => previous,
  })

const QUEUE_SIZE = 200

/** A session's tasks of one status, in the order in which they are taken. */
export const useQueue = (sessionId: string, status: TaskStatus) =>
  useQuery({
    queryKey: keys.tasks({ queue: sessionId, status }),
    queryFn: ({ signal }) =>
      get<TaskList>(`/sessions/${segment(sessionId)}/tasks`, { status, size: QUEUE_SIZE }, signal),
  })

/** How files grow while they arrive is told by nobody. */
const ARRIVING_MS = 1000
/** That there are files is told, but not before the log view has subscribed to the task. */
const RUNNING_MS = 15_000
const MOST = 1000

/** A task's artifacts by path, up to date while there may be more. */
export const useArtifacts = (task: TaskView) =>
  useQuery({
    // Files are brought before the end is said, and once more afterwards where an agent comes late.
    queryKey: [...keys.artifacts(task.id), task.status],
    queryFn: async ({ signal }) => {
      const path = `/tasks/${segment(task.id)}/artifacts`
      return (await get<Page<ArtifactView>>(path, { size: MOST }, signal)).content
    },
    placeholderData: previous => previous,
    refetchInterval: ({ state }) =>
      state.data?.some(artifact => !artifact.complete)
        ? ARRIVING_MS
        : task.status === 'PROCESSING' && RUNNING_MS,
  })

/** From a first failure to the last task that is to mend it; the task alone where it has no part in such a chain. */
export const useAutoFixChain = (task: TaskRow) =>
  useQuery({
    queryKey: keys.tasks({ chain: task.id }),
    queryFn: ({ signal }) => readChain(task, signal),
    enabled: task.autoFixOf !== null || task.status === 'FAILED',
    placeholderData: previous => previous,
  })

/** In the form of a list, so that live changes reach it. */
async function readChain(task: TaskRow, signal: AbortSignal): Promise<Pick<TaskList, 'content'>> {
  const before = await Promise.all(
    task.autoFixChain.map(id =>
      get<TaskView>(`/tasks/${segment(id)}`, {}, signal).catch(error => {
        if (error instanceof ApiError && error.status === 404) return undefined
        throw error
      }),
    ),
  )
  const content: TaskRow[] = [...before.filter(one => one !== undefined), task]
  while (content.length < MAX_AUTO_FIX_CHAIN) {
    const fixes = await get<TaskList>('/tasks', { autoFixOf: content.at(-1)?.id, size: 1 }, signal)
    const [latest] = fixes.content
    if (!latest) break
    content.push(latest)
  }
  return { content }
}

/** @param refreshMs how often it is read again; never by itself where it is left out */
export const useSessions = (params: Record<string, string | number> = { size: 200 }, refreshMs?: number) =>
  useQuery({
    queryKey: keys.sessions(params),
    queryFn: ({ signal }) => get<Page<SessionView>>('/sessions', params, signal),
    placeholderData: previous => previous,
    refetchInterval: refreshMs ?? false,
  })

const SESSION_MS = 15_000

export const useSession = (id: string) =>
  useQuery({
    queryKey: keys.session(id),
    queryFn: ({ signal }) => get<SessionView>(`/sessions/${segment(id)}`, {}, signal),
    // What others do with the session itself is told by nobody.
    refetchInterval: SESSION_MS,
  })

/** Whether the caller may create, cancel and retry; and whether keys and deletions are theirs. */
export function useRights(): { operate: boolean; admin: boolean } {
  const role = useMe().data?.role
  return { operate: role === 'operator' || role === 'admin', admin: role === 'admin' }
}
