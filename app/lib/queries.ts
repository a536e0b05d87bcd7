import { useQuery } from '@tanstack/react-query'
import type { Me } from '#protocol/auth.ts'
import type { Page } from '#protocol/page.ts'
import type { SessionView } from '#protocol/session.ts'
import type { TaskView } from '#protocol/task.ts'
import { get, segment } from './api.ts'

export type TaskList = Page<TaskView>

export const keys = {
  me: ['me'] as const,
  task: (id: string) => ['task', id] as const,
  taskLists: ['tasks'] as const,
  tasks: (params: Record<string, string>) => ['tasks', params] as const,
  sessionLists: ['sessions'] as const,
  sessions: (params: Record<string, string | number>) => ['sessions', params] as const,
  sessionViews: ['session'] as const,
  session: (id: string) => ['session', id] as const,
}

export const useMe = () =>
  useQuery({ queryKey: keys.me, queryFn: ({ signal }) => get<Me>('/me', {}, signal), staleTime: 60_000 })

export const useTask = (id: string) =>
  useQuery({
    queryKey: keys.task(id),
    queryFn: ({ signal }) => get<TaskView>(`/tasks/${segment(id)}`, {}, signal),
  })

export const useTasks = (params: Record<string, string>) =>
  useQuery({
    queryKey: keys.tasks(params),
    queryFn: ({ signal }) => get<TaskList>('/tasks', params, signal),
    placeholderData: previous => previous,
  })

export const useSessions = (params: Record<string, string | number> = { size: 200 }) =>
  useQuery({
    queryKey: keys.sessions(params),
    queryFn: ({ signal }) => get<Page<SessionView>>('/sessions', params, signal),
  })

export const useSession = (id: string) =>
  useQuery({
    queryKey: keys.session(id),
    queryFn: ({ signal }) => get<SessionView>(`/sessions/${segment(id)}`, {}, signal),
  })

/** Whether the caller may create, cancel and retry; and whether keys and deletions are theirs. */
export function useRights(): { operate: boolean; admin: boolean } {
  const role = useMe().data?.role
  return { operate: role === 'operator' || role === 'admin', admin: role === 'admin' }
}
