'use client'

import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil, IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import type { SessionView } from '#protocol/session.ts'
import { patch, post, segment } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState } from '../states.tsx'

interface SessionFields {
  name: string
  description: string | null
  tags: string[]
}

/** A button for those who may create sessions, and its form. */
export function NewSession() {
  const text = useMessages()
  const router = useRouter()
  const client = useQueryClient()
  const { operate } = useRights()
  const [opened, { open, close }] = useDisclosure()
  if (!operate) return null
  const create = async (fields: SessionFields) => {
    const session = await post<SessionView>('/sessions', fields)
    void client.invalidateQueries({ queryKey: keys.sessionLists })
    router.push(`/sessions/${encodeURIComponent(session.id)}`)
  }
  return (
    <>
      <Button size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
        {text.sessions.newSession}
      </Button>
      <Modal opened={opened} onClose={close} title={text.sessions.newSession}>
        <SessionForm submitLabel={text.common.create} save={create} close={close} />
      </Modal>
    </>
  )
}

export function EditSession({ session }: { session: SessionView }) {
  const text = useMessages()
  const client = useQueryClient()
  const [opened, { open, close }] = useDisclosure()
  const save = async (fields: SessionFields) => {
    const changed = await patch<SessionView>(`/sessions/${segment(session.id)}`, fields)
    client.setQueryData(keys.session(session.id), changed)
    void client.invalidateQueries({ queryKey: keys.sessionLists })
    close()
  }
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPencil size={14} aria-hidden />}
        onClick={open}
      >
        {text.sessions.edit}
      </Button>
      <Modal opened={opened} onClose={close} title={text.sessions.editTitle}>
        <SessionForm given={session} submitLabel={text.common.save} save={save} close={close} />
      </Modal>
    </>
  )
}

interface SessionFormProps {
  given?: SessionFields
  submitLabel: string
  /** The form stays, and says why, where this fails. */
  save(fields: SessionFields): Promise<void>
  close(): void
}

function SessionForm({ given, submitLabel, save, close }: SessionFormProps) {
  const text = useMessages()
  const [form, setForm] = useState({
    name: given?.name ?? '',
    description: given?.description ?? '',
    tags: given?.tags.join(', ') ?? '',
  })
  const saving = useMutation({
    mutationFn: () =>
      save({
        name: form.name.trim(),
        description: form.description.trim() || null,
        tags: form.tags
          .split(',')
          .map(tag => tag.trim())
          .filter(Boolean),
      }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    saving.mutate()
  }
  const set = (part: Partial<typeof form>) => setForm(current => ({ ...current, ...part }))
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {saving.isError && <ErrorState title={text.common.actionFailed} error={saving.error} />}
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
          maxLength={10_000}
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
          <Button type="submit" loading={saving.isPending}>
            {submitLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
