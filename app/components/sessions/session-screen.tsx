'use client'

import { Anchor } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import Link from 'next/link'
import { useParams } from 'next/navigation'
import type { SessionView } from '#protocol/session.ts'
import { useQueue, useSession } from '../../lib/queries.ts'
import { byTurn } from '../../lib/queue-order.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { StatusBadge } from '../status-badge.tsx'
import { NewTask } from '../tasks/new-task.tsx'
import { TaskList } from '../tasks/task-list.tsx'
import bar from '../tasks/tasks-screen.module.css'
import { Queue } from './queue.tsx'
import { Running } from './running.tsx'
import { ServeHint } from './serve-hint.tsx'
import { SessionActions } from './session-actions.tsx'
import { TaskCounts } from './sessions-screen.tsx'
import { TemplateView } from './template-view.tsx'

/** A session: what runs, what waits for its turn, what has ended. */
export function SessionScreen() {
  const { id } = useParams<{ id: string }>()
  const sessionId = decodeURIComponent(id)
  const session = useSession(sessionId)
  useDocumentTitle(`${session.data?.name ?? sessionId} · keruta`)
  if (session.isError && !session.data)
    return <ErrorState error={session.error} onRetry={() => void session.refetch()} />
  if (!session.data) return <LoadingRows />
  return (
    <>
      <SessionHeader session={session.data} />
      <Tasks session={session.data} />
      <TaskList sessionId={sessionId} />
    </>
  )
}

function SessionHeader({ session }: { session: SessionView }) {
  const text = useMessages().sessions
  const { name, status, description, tags, template, workspaceId, serving } = session
  return (
    <div className={bar.bar}>
      <h1 title={name}>
        <Anchor component={Link} href="/sessions" fw={400} fz={13}>
          {text.title}
        </Anchor>
        <span aria-hidden className="soft">
          {' / '}
        </span>
        {name}
      </h1>
      <StatusBadge status={status} />
      <TaskCounts session={session} />
      {serving.daemons > 0 && (
        <span className="soft" data-testid="served">
          {text.served(serving.daemons)}
        </span>
      )}
      {workspaceId && (
        <span className="soft">
          {text.workspace}: {workspaceId}
        </span>
      )}
      {description && <span className="soft">{description}</span>}
      {tags.length > 0 && <span className="soft">{tags.map(tag => `#${tag}`).join(' ')}</span>}
      <SessionActions session={session} />
      {template && <TemplateView template={template} />}
    </div>
  )
}

function Tasks({ session }: { session: SessionView }) {
  const running = useQueue(session.id, 'PROCESSING')
  const waiting = useQueue(session.id, 'PENDING')
  const text = useMessages().sessions
  const failed = running.isError ? running : waiting.isError ? waiting : undefined
  if (failed && !failed.data) return <ErrorState error={failed.error} onRetry={() => void failed.refetch()} />
  if (!running.data || !waiting.data) return <LoadingRows rows={4} />
  // A task that has just been taken is in the list of those that wait until that is read again.
  const known = new Map([...running.data.content, ...waiting.data.content].map(task => [task.id, task]))
  const tasks = [...known.values()]
  const runs = tasks.filter(task => task.status === 'PROCESSING')
  const queue = tasks.filter(task => task.status === 'PENDING').sort(byTurn)
  const more = Math.max(0, waiting.data.totalElements - waiting.data.content.length)
  return (
    <>
      {runs.length > 0 && <Running tasks={runs} />}
      <ServeHint session={session} queue={queue} running={runs.length} />
      <section aria-label={text.queue}>
        <div className={bar.bar}>
          <h2>{text.queue}</h2>
          <span className="soft nums">{text.queued(queue.length + more)}</span>
          <span style={{ marginLeft: 'auto' }} />
          {session.status !== 'ARCHIVED' && <NewTask sessionId={session.id} />}
        </div>
        <Queue sessionId={session.id} queue={queue} more={more} active={session.status === 'ACTIVE'} />
      </section>
    </>
  )
}
