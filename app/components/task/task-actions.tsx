'use client'

import { notifications } from '@mantine/notifications'
import { IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import type { TaskRow } from '#protocol/task.ts'
import { del, post, segment } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Confirmed } from '../confirmed.tsx'
import { EditTask } from '../tasks/edit-task.tsx'
import { AutoFixButton } from './auto-fix-button.tsx'
import classes from './task.module.css'

/**
 * Edit while it waits, cancel while it may still run, retry once it has failed, delete while it does not run; each asks first.
 * In a list only icons, and after a deletion the list stays.
 */
export function TaskActions({ task, inList }: { task: TaskRow; inList?: boolean }) {
  const text = useMessages().task
  const client = useQueryClient()
  const router = useRouter()
  const { operate, admin } = useRights()
  const path = `/tasks/${segment(task.id)}`
  const ask = (action: 'cancel' | 'retry') => async (reason: string) => {
    const changed = await post<TaskRow>(`${path}/${action}`, reason ? { message: reason } : {})
    client.setQueryData(keys.task(task.id), changed)
    void client.invalidateQueries({ queryKey: keys.taskLists })
  }
  const remove = async () => {
    await del(path)
    client.removeQueries({ queryKey: keys.task(task.id) })
    void client.invalidateQueries({ queryKey: keys.taskLists })
    notifications.show({ message: text.deleted })
    if (!inList) router.push('/tasks')
  }
  const open = task.status === 'PENDING' || task.status === 'PROCESSING'
  const failed = task.status === 'FAILED' || task.status === 'CANCELLED'
  return (
    <div className={classes.actions}>
      {operate && task.status === 'PENDING' && <EditTask task={task} iconOnly={inList} />}
      {operate && open && (
        <Confirmed
          label={text.cancel}
          icon={<IconPlayerStop size={14} aria-hidden />}
          iconOnly={inList}
          title={text.cancelTitle}
          explanation={text.cancelText}
          confirm={text.cancelConfirm}
          danger
          withReason
          run={ask('cancel')}
        />
      )}
      {operate && failed && (
        <Confirmed
          label={text.retry}
          icon={<IconRefresh size={14} aria-hidden />}
          iconOnly={inList}
          title={text.retryTitle}
          explanation={text.retryText}
          confirm={text.retryConfirm}
          withReason
          run={ask('retry')}
        />
      )}
      {operate && !inList && <AutoFixButton task={task} />}
      {admin && task.status !== 'PROCESSING' && (
        <Confirmed
          label={text.remove}
          icon={<IconTrash size={14} aria-hidden />}
          iconOnly
          title={text.removeTitle}
          explanation={text.removeText}
          confirm={text.removeConfirm}
          danger
          run={remove}
        />
      )}
    </div>
  )
}
