'use client'

import { Button, Group, Modal, NumberInput, Stack, Textarea, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import type { TaskView } from '#protocol/task.ts'
import { post } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState } from '../states.tsx'

/** A button for those who may create tasks, and its form. */
export function NewTask({ sessionId }: { sessionId?: string }) {
  const text = useMessages().newTask
  const { operate } = useRights()
  const [opened, { open, close }] = useDisclosure()
  if (!operate) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
        {text.title}
      </Button>
      <Modal opened={opened} onClose={close} title={text.title} size="lg">
        <NewTaskForm sessionId={sessionId} close={close} />
      </Modal>
    </>
  )
}

function NewTaskForm({ sessionId, close }: { sessionId?: string; close(): void }) {
  const text = useMessages()
  const router = useRouter()
  const client = useQueryClient()
  const [form, setForm] = useState({ name: '', id: '', script: '', priority: 0, maxAttempts: 1 })
  const create = useMutation({
    mutationFn: () =>
      post<TaskView>('/tasks', {
        ...(form.name.trim() && { name: form.name.trim() }),
        ...(form.id.trim() && { id: form.id.trim() }),
        ...(form.script.trim() && { script: form.script }),
        priority: form.priority,
        maxAttempts: form.maxAttempts,
        ...(sessionId && { sessionId }),
      }),
    onSuccess: task => {
      void client.invalidateQueries({ queryKey: keys.taskLists })
      router.push(`/tasks/${encodeURIComponent(task.id)}`)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate()
  }
  const set = (part: Partial<typeof form>) => setForm(current => ({ ...current, ...part }))
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {create.isError && <ErrorState title={text.common.actionFailed} error={create.error} />}
        <TextInput
          label={text.newTask.name}
          data-autofocus
          maxLength={200}
          value={form.name}
          onChange={event => set({ name: event.currentTarget.value })}
        />
        <Textarea
          label={text.newTask.script}
          description={text.newTask.scriptHint}
          autosize
          minRows={5}
          maxRows={18}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--k-mono)', fontSize: 13 } }}
          value={form.script}
          onChange={event => set({ script: event.currentTarget.value })}
        />
        <Group grow align="flex-start">
          <TextInput
            label={text.newTask.id}
            description={text.newTask.idHint}
            inputWrapperOrder={['label', 'input', 'description']}
            maxLength={128}
            value={form.id}
            onChange={event => set({ id: event.currentTarget.value })}
          />
          <NumberInput
            label={text.newTask.priority}
            allowDecimal={false}
            value={form.priority}
            onChange={value => set({ priority: Number(value) || 0 })}
          />
          <NumberInput
            label={text.newTask.maxAttempts}
            allowDecimal={false}
            min={1}
            max={100}
            value={form.maxAttempts}
            onChange={value => set({ maxAttempts: Number(value) || 1 })}
          />
        </Group>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {text.common.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
