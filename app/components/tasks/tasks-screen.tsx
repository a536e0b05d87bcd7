'use client'

import { VisuallyHidden } from '@mantine/core'
import { useMessages } from '../../messages/use-messages.ts'
import { NewTask } from './new-task.tsx'
import { TaskList } from './task-list.tsx'

export function TasksScreen() {
  const text = useMessages().tasks
  return (
    <>
      <VisuallyHidden component="h1">{text.title}</VisuallyHidden>
      <TaskList action={<NewTask />} />
    </>
  )
}
