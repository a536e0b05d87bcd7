'use client'

import { useDocumentTitle } from '@mantine/hooks'
import { useParams } from 'next/navigation'
import { useCallback, useState } from 'react'
import { plainText } from '../../lib/ansi.ts'
import { ApiError } from '../../lib/api.ts'
import { useLiveTask } from '../../lib/live-tasks.ts'
import { useRights, useTask } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { LogPanel } from '../log/log-panel.tsx'
import { ErrorState } from '../states.tsx'
import { InputBar } from './input-bar.tsx'
import classes from './task.module.css'
import { TaskHeader, UnknownTaskHeader } from './task-header.tsx'

/** A task and its log; also for one that nobody knows yet, which is waited for. */
export function TaskScreen() {
  const params = useParams<{ id: string }>()
  const taskId = decodeURIComponent(params.id)
  const text = useMessages().task
  const task = useTask(taskId)
  useDocumentTitle(`${plainText(task.data?.name ?? taskId)} · keruta`)
  const [deleted, setDeleted] = useState(false)
  const [typing, setTyping] = useState(false)
  const { operate } = useRights()
  useLiveTask(
    taskId,
    useCallback(gone => setDeleted(gone), []),
  )
  const unknown = task.error instanceof ApiError && task.error.status === 404
  if (task.isError && !unknown && !task.data) {
    return <ErrorState error={task.error} onRetry={() => void task.refetch()} />
  }
  return (
    <div className={classes.screen}>
      {task.data ? (
        <TaskHeader task={task.data} deleted={deleted} onInput={() => setTyping(true)} />
      ) : (
        <UnknownTaskHeader taskId={taskId} waiting={unknown} />
      )}
      {deleted && (
        <p className={classes.deleted} role="alert">
          {text.deleted}
        </p>
      )}
      <LogPanel key={taskId} taskId={taskId} task={task.data} />
      {operate && task.data && (
        <InputBar key={`input ${taskId}`} task={task.data} open={typing} close={() => setTyping(false)} />
      )}
    </div>
  )
}
