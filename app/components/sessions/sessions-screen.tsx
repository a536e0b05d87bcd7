'use client'

import { Anchor, Button, EmptyState, NativeSelect, Table, Text, VisuallyHidden } from '@mantine/core'
import Link from 'next/link'
import type { SessionView } from '#protocol/session.ts'
import { TASK_STATUSES } from '#protocol/task.ts'
import { count } from '../../lib/format.ts'
import { useSessions } from '../../lib/queries.ts'
import { useAddress } from '../../lib/use-address.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { SearchField } from '../fields/search-field.tsx'
import { Pager } from '../pager.tsx'
import { ErrorState, LoadingRows } from '../states.tsx'
import { StatusBadge } from '../status-badge.tsx'
import bar from '../tasks/tasks-screen.module.css'
import { Age } from '../time.tsx'
import { NewSession } from './session-dialogs.tsx'

const SIZE = 100
/** How many tasks they have is told by nobody. */
const REFRESH_MS = 5000
const NOT_ARCHIVED = 'ACTIVE,COMPLETED'

export function SessionsScreen() {
  const { sessions: text, tasks } = useMessages()
  const [params, change] = useAddress()
  const page = Math.max(0, Number(params.get('page')) || 0)
  const status = params.get('status') ?? ''
  const search = params.get('search') ?? ''
  const sessions = useSessions(
    { page, size: SIZE, status: status || NOT_ARCHIVED, ...(search && { search }) },
    REFRESH_MS,
  )
  const filtered = status !== '' || search !== ''
  const set = (name: string, value: string) =>
    change(query => {
      query.delete('page')
      if (value) query.set(name, value)
      else query.delete(name)
      return query
    })
  const clear = () =>
    change(query => {
      for (const name of ['page', 'status', 'search']) query.delete(name)
      return query
    })
  return (
    <>
      <div className={bar.bar}>
        <h1>{text.title}</h1>
        <div className={bar.filters}>
          <SearchField value={search} onChange={value => set('search', value)} />
          <NativeSelect
            size="xs"
            aria-label={text.status}
            value={status}
            onChange={event => set('status', event.currentTarget.value)}
            data={Object.entries(text.shown).map(([value, label]) => ({ value, label }))}
          />
        </div>
        {sessions.data && sessions.data.totalElements > 0 && (
          <Pager page={sessions.data} onChange={next => set('page', next ? String(next) : '')} />
        )}
        <NewSession />
      </div>
      {sessions.isError ? (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      ) : !sessions.data ? (
        <LoadingRows />
      ) : sessions.data.content.length === 0 ? (
        <EmptyState
          mt="xl"
          px="md"
          title={filtered ? text.noMatch : text.emptyTitle}
          description={filtered ? undefined : text.emptyText}
        >
          {filtered && (
            <EmptyState.Actions>
              <Button size="compact-sm" variant="default" onClick={clear}>
                {tasks.clearFilters}
              </Button>
            </EmptyState.Actions>
          )}
        </EmptyState>
      ) : (
        <SessionTable sessions={sessions.data.content} />
      )}
    </>
  )
}

function SessionTable({ sessions }: { sessions: SessionView[] }) {
  const text = useMessages()
  return (
    <Table.ScrollContainer minWidth={340}>
      <Table verticalSpacing={4} horizontalSpacing="sm" highlightOnHover tabularNums>
        <Table.Thead>
          <Table.Tr>
            <Table.Th className={bar.oneLine}>{text.tasks.columns.status}</Table.Th>
            <Table.Th className={bar.oneLine} w="60%">
              {text.sessions.name}
            </Table.Th>
            <Table.Th className={bar.oneLine}>{text.sessions.tasks}</Table.Th>
            <Table.Th className={bar.oneLine} visibleFrom="sm">
              {text.sessions.updated}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.map(session => (
            <Table.Tr key={session.id}>
              <Table.Td>
                <StatusBadge status={session.status} />
              </Table.Td>
              <Table.Td miw={130}>
                <Anchor
                  component={Link}
                  prefetch={false}
                  href={`/sessions/${encodeURIComponent(session.id)}`}
                  fw={600}
                  fz={14}
                  c="inherit"
                  lineClamp={2}
                  title={session.name}
                >
                  {session.name}
                </Anchor>
                <SessionFacts session={session} />
              </Table.Td>
              <Table.Td>
                <TaskCounts session={session} />
              </Table.Td>
              <Table.Td className={bar.oneLine} visibleFrom="sm">
                <Age at={session.updatedAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** What a session is about, in one line; the whole is a hover away, and on its page. */
function SessionFacts({ session: { description, tags } }: { session: SessionView }) {
  const facts = [description, ...tags.map(tag => `#${tag}`)].filter(Boolean).join('  ')
  if (!facts) return null
  return (
    <Text className="soft" fz={13} lineClamp={1} title={facts}>
      {facts}
    </Text>
  )
}

/** How many tasks there are of each status that occurs. */
export function TaskCounts({ session }: { session: SessionView }) {
  const text = useMessages()
  const present = TASK_STATUSES.filter(status => session.taskCounts[status] > 0)
  if (present.length === 0) return <span className="soft">{text.sessions.counts(0)}</span>
  return (
    <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: '0 12px' }}>
      {present.map(status => (
        <span key={status} style={{ display: 'inline-flex', gap: 4 }}>
          {count(session.taskCounts[status])} <StatusBadge status={status} />
        </span>
      ))}
      <VisuallyHidden>{text.sessions.tasks}</VisuallyHidden>
    </span>
  )
}
