'use client'

import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil, IconPlus } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import type { SessionView } from '#protocol/session.ts'
import { patch, post, segment } from '../../lib/api.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { type SessionFields, SessionForm } from './session-form.tsx'

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
      <Modal opened={opened} onClose={close} title={text.sessions.newSession} size="xl">
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
      <Modal opened={opened} onClose={close} title={text.sessions.editTitle} size="xl">
        <SessionForm given={session} submitLabel={text.common.save} save={save} close={close} />
      </Modal>
    </>
  )
}
