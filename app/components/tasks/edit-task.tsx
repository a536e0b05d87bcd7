'use client'

import { ActionIcon, Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import type { TaskRow, TaskView } from '#protocol/task.ts'
import { patch, segment } from '../../lib/api.ts'
import { keys, useEditedTask } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { TaskForm } from './task-form.tsx'

/** Changes what a task is that does not run. */
export function EditTask({ task: { id }, iconOnly }: { task: TaskRow; iconOnly?: boolean }) {
  const text = useMessages()
  const [opened, { open, close }] = useDisclosure()
  const icon = <IconPencil size={14} aria-hidden />
  return (
    <>
      {iconOnly ? (
        <ActionIcon
          variant="default"
          size={26}
          aria-label={text.task.edit}
          title={text.task.edit}
          onClick={open}
        >
          {icon}
        </ActionIcon>
      ) : (
        <Button size="compact-sm" variant="default" leftSection={icon} onClick={open}>
          {text.task.edit}
        </Button>
      )}
      <Modal opened={opened} onClose={close} title={text.task.editTitle} size="xl">
        <EditForm id={id} close={close} />
      </Modal>
    </>
  )
}

function EditForm({ id, close }: { id: string; close(): void }) {
  const text = useMessages()
  const client = useQueryClient()
  const task = useEditedTask(id)
  if (task.isError) return <ErrorState error={task.error} onRetry={() => void task.refetch()} />
  if (!task.data) return <LoadingRows />
  return (
    <TaskForm
      given={task.data}
      submitLabel={text.common.save}
      close={close}
      save={async fields => {
        const changed = await patch<TaskView>(`/tasks/${segment(id)}`, fields)
        client.setQueryData(keys.task(id), changed)
        void client.invalidateQueries({ queryKey: keys.taskLists })
        close()
      }}
    />
  )
}
