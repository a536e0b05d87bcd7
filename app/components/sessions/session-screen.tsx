'use client'

import { Anchor } from '@mantine/core'
import Link from 'next/link'
import { useParams } from 'next/navigation'
import { useSession } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { StatusBadge } from '../status-badge.tsx'
import { NewTask } from '../tasks/new-task.tsx'
import { TaskList } from '../tasks/task-list.tsx'
import bar from '../tasks/tasks-screen.module.css'
import { SessionActions } from './session-actions.tsx'
import { TaskCounts } from './sessions-screen.tsx'

export function SessionScreen() {
  const text = useMessages().sessions
  const { id } = useParams<{ id: string }>()
  const sessionId = decodeURIComponent(id)
  const session = useSession(sessionId)
  if (session.isError) return <ErrorState error={session.error} onRetry={() => void session.refetch()} />
  if (!session.data) return <LoadingRows />
  const { name, status, description, tags, template, workspaceId } = session.data
  return (
    <>
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
        <TaskCounts session={session.data} />
        {workspaceId && (
          <span className="soft">
            {text.workspace}: {workspaceId}
          </span>
        )}
        {template?.repository && (
          <span className="soft">
            {text.repository}: <span className="mono">{template.repository.url}</span>
          </span>
        )}
        {description && <span className="soft">{description}</span>}
        {tags.length > 0 && <span className="soft">{tags.map(tag => `#${tag}`).join(' ')}</span>}
        <SessionActions session={session.data} />
      </div>
      <TaskList sessionId={sessionId} action={<NewTask sessionId={sessionId} />} />
    </>
  )
}
