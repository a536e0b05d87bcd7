'use client'

import { CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { TASK_STATUSES, TERMINAL_STATUSES } from '#protocol/task.ts'
import { useSessions } from '../../lib/queries.ts'
import { useKeys } from '../../lib/use-keys.ts'
import { useMessages } from '../../messages/use-messages.ts'
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
          value={params.get('sessionId') ?? ''}
          onChange={event => set('sessionId', event.currentTarget.value)}
          data={[
            { value: '', label: text.tasks.anySession },
            ...(sessions.data?.content ?? []).map(session => ({ value: session.id, label: session.name })),
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

function SearchField({ value, onChange }: { value: string; onChange(value: string): void }) {
  const text = useMessages()
  const field = useRef<HTMLInputElement>(null)
  const [draft, setDraft] = useState(value)
  const change = useDebouncedCallback(onChange, 250)
  useKeys({ '/': () => field.current?.focus() })
  useEffect(() => setDraft(value), [value])
  const edit = (next: string) => {
    setDraft(next)
    change(next)
  }
  return (
    <TextInput
      ref={field}
      size="xs"
      className={classes.search}
      aria-label={text.tasks.search}
      placeholder={text.tasks.search}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        draft && <CloseButton size="xs" aria-label={text.log.clearText} onClick={() => edit('')} />
      }
      maxLength={200}
      value={draft}
      onChange={event => edit(event.currentTarget.value)}
      onKeyDown={event => event.key === 'Escape' && event.currentTarget.blur()}
    />
  )
}
