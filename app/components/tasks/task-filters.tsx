'use client'

import { NativeSelect } from '@mantine/core'
import { TASK_STATUSES, TERMINAL_STATUSES } from '#protocol/task.ts'
import { useSessions } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { SearchField } from '../fields/search-field.tsx'
import classes from './tasks-screen.module.css'

interface TaskFiltersProps {
  params: URLSearchParams
  set(name: string, value: string): void
  /** Inside a session's page the session is given, and only tasks that have ended are listed. */
  inSession: boolean
}

export function TaskFilters({ params, set, inSession }: TaskFiltersProps) {
  const text = useMessages()
  const sessions = useSessions()
  const known = sessions.data?.content ?? []
  /** Perhaps one of those that the list has no room for. */
  const chosen = params.get('sessionId') ?? ''
  return (
    <div className={classes.filters}>
      <SearchField value={params.get('search') ?? ''} onChange={value => set('search', value)} />
      <NativeSelect
        size="xs"
        aria-label={text.tasks.status}
        value={params.get('status') ?? ''}
        onChange={event => set('status', event.currentTarget.value)}
        data={[
          { value: '', label: inSession ? text.tasks.anyEnd : text.tasks.anyStatus },
          ...(inSession ? TERMINAL_STATUSES : TASK_STATUSES).map(value => ({
            value,
            label: text.status[value],
          })),
          ...(inSession ? [] : [{ value: 'WAITING', label: text.status.WAITING }]),
        ]}
      />
      {!inSession && (sessions.data?.totalElements ?? 0) > 0 && (
        <NativeSelect
          size="xs"
          aria-label={text.tasks.session}
          value={chosen}
          onChange={event => set('sessionId', event.currentTarget.value)}
          data={[
            { value: '', label: text.tasks.anySession },
            ...known.map(session => ({ value: session.id, label: session.name })),
            ...(chosen && !known.some(session => session.id === chosen)
              ? [{ value: chosen, label: chosen }]
              : []),
          ]}
        />
      )}
      <NativeSelect
        size="xs"
        aria-label={text.tasks.sort}
        value={params.get('sort') ?? 'createdAt:desc'}
        onChange={event =>
          set('sort', event.currentTarget.value === 'createdAt:desc' ? '' : event.currentTarget.value)
        }
        data={Object.entries(text.tasks.sorts).map(([value, label]) => ({ value, label }))}
      />
    </div>
  )
}
