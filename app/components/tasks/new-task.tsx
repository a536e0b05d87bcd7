'use client'

import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import type { TaskView } from '#protocol/task.ts'
import { post } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { TaskForm } from './task-form.tsx'

/** A button for those who may create tasks, and its form. In a session the new task joins the queue in sight, elsewhere it is shown. */
export function NewTask({ sessionId }: { sessionId?: string }) {
  const text = useMessages()
  const router = useRouter()
  const client = useQueryClient()
  const { operate } = useRights()
  const [opened, { open, close }] = useDisclosure()
  if (!operate) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
        {text.newTask.title}
      </Button>
      <Modal opened={opened} onClose={close} title={text.newTask.title} size="xl">
        <TaskForm
          submitLabel={text.common.create}
          close={close}
          save={async fields => {
            const task = await post<TaskView>('/tasks', { ...fields, ...(sessionId && { sessionId }) })
            void client.invalidateQueries({ queryKey: keys.taskLists })
            void client.invalidateQueries({ queryKey: keys.sessionViews })
            if (sessionId) close()
            else router.push(`/tasks/${encodeURIComponent(task.id)}`)
          }}
        />
      </Modal>
    </>
  )
}
