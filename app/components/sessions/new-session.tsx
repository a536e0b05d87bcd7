'use client'

import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import type { SessionView } from '#protocol/session.ts'
import { post } from '../../lib/api.ts'
import { useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState } from '../states.tsx'

export function NewSession() {
  const text = useMessages().sessions
  const { operate } = useRights()
  const [opened, { open, close }] = useDisclosure()
  if (!operate) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
        {text.newSession}
      </Button>
      <Modal opened={opened} onClose={close} title={text.newSession}>
        <NewSessionForm close={close} />
      </Modal>
    </>
  )
}

function NewSessionForm({ close }: { close(): void }) {
  const text = useMessages()
  const router = useRouter()
  const client = useQueryClient()
  const [form, setForm] = useState({ name: '', description: '', tags: '' })
  const create = useMutation({
    mutationFn: () =>
      post<SessionView>('/sessions', {
        name: form.name.trim(),
        ...(form.description.trim() && { description: form.description.trim() }),
        tags: form.tags
          .split(',')
          .map(tag => tag.trim())
          .filter(Boolean),
      }),
    onSuccess: session => {
      void client.invalidateQueries({ queryKey: ['sessions'] })
      router.push(`/sessions/${encodeURIComponent(session.id)}`)
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
          label={text.sessions.name}
          required
          data-autofocus
          maxLength={200}
          value={form.name}
          onChange={event => set({ name: event.currentTarget.value })}
        />
        <Textarea
          label={text.sessions.description}
          autosize
          maxRows={8}
          value={form.description}
          onChange={event => set({ description: event.currentTarget.value })}
        />
        <TextInput
          label={text.sessions.tags}
          description={text.sessions.tagsHint}
          value={form.tags}
          onChange={event => set({ tags: event.currentTarget.value })}
        />
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
