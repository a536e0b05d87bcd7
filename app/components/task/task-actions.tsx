'use client'

import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { TaskView } from '#protocol/task.ts'
import { post, segment } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState } from '../states.tsx'
import classes from './task.module.css'

/** Cancel while it may still run, retry once it has ended; each asks first. */
export function TaskActions({ task }: { task: TaskView }) {
  const text = useMessages().task
  const { operate } = useRights()
  if (!operate) return null
  const open = task.status === 'PENDING' || task.status === 'PROCESSING'
  return (
    <div className={classes.actions}>
      {open ? (
        <Confirmed
          task={task}
          action="cancel"
          label={text.cancel}
          title={text.cancelTitle}
          explanation={text.cancelText}
          confirm={text.cancelConfirm}
          icon={<IconPlayerStop size={14} aria-hidden />}
          color="red"
        />
      ) : (
        <Confirmed
          task={task}
          action="retry"
          label={text.retry}
          title={text.retryTitle}
          explanation={text.retryText}
          confirm={text.retryConfirm}
          icon={<IconRefresh size={14} aria-hidden />}
        />
      )}
    </div>
  )
}

interface ConfirmedProps {
  task: TaskView
  action: 'cancel' | 'retry'
  label: string
  title: string
  explanation: string
  confirm: string
  icon: React.ReactNode
  color?: string
}

function Confirmed({ task, action, label, title, explanation, confirm, icon, color }: ConfirmedProps) {
  const text = useMessages()
  const client = useQueryClient()
  const [opened, { open, close }] = useDisclosure()
  const [reason, setReason] = useState('')
  const run = useMutation({
    mutationFn: () =>
      post<TaskView>(`/tasks/${segment(task.id)}/${action}`, reason.trim() ? { message: reason.trim() } : {}),
    onSuccess: changed => {
      client.setQueryData(keys.task(task.id), changed)
      close()
    },
  })
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={icon} onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={title}>
        <form
          onSubmit={event => {
            event.preventDefault()
            run.mutate()
          }}
        >
          <Stack gap="sm">
            <span>{explanation}</span>
            {run.isError && <ErrorState title={text.common.actionFailed} error={run.error} />}
            <TextInput
              label={text.task.reason}
              maxLength={1000}
              data-autofocus
              value={reason}
              onChange={event => setReason(event.currentTarget.value)}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {text.task.keep}
              </Button>
              <Button type="submit" color={color} loading={run.isPending}>
                {confirm}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  )
}
