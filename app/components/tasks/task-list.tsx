'use client'

import { Button, EmptyState } from '@mantine/core'
import { IconTerminal2 } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import { TERMINAL_STATUSES } from '#protocol/task.ts'
import { useMe, useTasks } from '../../lib/queries.ts'
import { useAddress } from '../../lib/use-address.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Pager } from '../pager.tsx'
import { Command, ErrorState, LoadingRows } from '../states.tsx'
import { TaskFilters } from './task-filters.tsx'
import { TaskTable } from './task-table.tsx'
import classes from './tasks-screen.module.css'

const SIZE = 100
const FILTERS = ['status', 'search', 'sessionId']

/** What the address calls running tasks that wait for input. */
const WAITING = 'WAITING'

/** Tasks, filtered, sorted and paged by the address, up to date by themselves; in a session, those that have ended. */
export function TaskList({ sessionId, action }: { sessionId?: string; action?: ReactNode }) {
  const { tasks: text, sessions } = useMessages()
  const [params, change] = useAddress()
  const set = (name: string, value: string) =>
    change(next => {
      if (value) next.set(name, value)
      else next.delete(name)
      if (name !== 'page') next.delete('page')
      return next
    })
  const names = [...FILTERS, 'sort', 'page'].filter(name => params.get(name))
  const tasks = useTasks({
    ...(sessionId && { sessionId, status: TERMINAL_STATUSES.join(',') }),
    ...Object.fromEntries(names.map(name => [name, params.get(name) ?? ''])),
    size: String(SIZE),
    ...(params.get('status') === WAITING && { status: 'PROCESSING', waiting: 'true' }),
  })
  const filtered = FILTERS.some(name => params.get(name))
  const clear = () =>
    change(next => {
      for (const name of [...FILTERS, 'page']) next.delete(name)
      return next
    })
  return (
    <>
      <div className={classes.bar}>
        {sessionId && <h2>{sessions.finished}</h2>}
        <TaskFilters params={params} set={set} inSession={sessionId !== undefined} />
        {tasks.data && tasks.data.totalElements > 0 && (
          <Pager page={tasks.data} onChange={page => set('page', page ? String(page) : '')} />
        )}
        {action}
      </div>
      {tasks.isError ? (
        <ErrorState error={tasks.error} onRetry={() => void tasks.refetch()} />
      ) : !tasks.data ? (
        <LoadingRows rows={10} />
      ) : tasks.data.content.length > 0 ? (
        <TaskTable
          tasks={tasks.data.content}
          stale={tasks.isPlaceholderData}
          withActions={sessionId !== undefined}
        />
      ) : filtered ? (
        <EmptyState mt="xl" title={text.noMatch} size="sm">
          <EmptyState.Actions>
            <Button size="compact-sm" variant="default" onClick={clear}>
              {text.clearFilters}
            </Button>
          </EmptyState.Actions>
        </EmptyState>
      ) : sessionId ? (
        <p className={classes.none}>{sessions.noneFinished}</p>
      ) : (
        <FirstSteps />
      )}
    </>
  )
}

function FirstSteps() {
  const text = useMessages().tasks
  const me = useMe()
  const [origin, setOrigin] = useState('')
  useEffect(() => setOrigin(location.origin), [])
  const header = me.data?.authRequired ? ' -H "Authorization: Bearer $KERUTA_API_KEY"' : ''
  const curl = `curl ${origin}/api/v1/tasks/hello/logs${header} --json '{"message":"hello"}'`
  return (
    <EmptyState
      my="xl"
      px="md"
      icon={<IconTerminal2 size={36} stroke={1.5} aria-hidden />}
      title={text.emptyTitle}
      description={text.emptyText}
    >
      <Command text={text.emptyCommand} />
      <p className="soft">{text.emptyRest}</p>
      <Command text={curl} />
    </EmptyState>
  )
}
