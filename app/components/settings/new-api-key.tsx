'use client'

import { Alert, Button, Code, Group, Modal, NativeSelect, Stack, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { ROLES, type Role } from '#protocol/auth.ts'
import { post } from '../../lib/api.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { FormButtons } from '../fields/form-buttons.tsx'
import { Copy, ErrorState } from '../states.tsx'

/** Makes a key, and shows it this once. */
export function NewApiKey({ onCreated }: { onCreated(): void }) {
  const text = useMessages().settings
  const [opened, { open, close }] = useDisclosure()
  return (
    <>
      <Button size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
        {text.newKey}
      </Button>
      <Modal opened={opened} onClose={close} title={text.newKey} closeOnClickOutside={false}>
        <NewApiKeyForm close={close} onCreated={onCreated} />
      </Modal>
    </>
  )
}

function NewApiKeyForm({ close, onCreated }: { close(): void; onCreated(): void }) {
  const text = useMessages()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('agent')
  const [expires, setExpires] = useState('')
  const create = useMutation({
    mutationFn: () =>
      post<{ key: string }>('/api-keys', {
        name: name.trim(),
        role,
        ...(expires && { expiresAt: new Date(expires).toISOString() }),
      }),
    onSuccess: onCreated,
  })
  if (create.data) {
    return (
      <Stack gap="sm">
        <Alert color="yellow" variant="light">
          {text.settings.shownOnce}
        </Alert>
        <Group gap="xs" wrap="nowrap">
          <Code
            block
            data-testid="new-key"
            style={{ flex: 1, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
          >
            {create.data.key}
          </Code>
          <Copy value={create.data.key} />
        </Group>
        <Group justify="flex-end">
          <Button onClick={close}>{text.settings.done}</Button>
        </Group>
      </Stack>
    )
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        create.mutate()
      }}
    >
      <Stack gap="sm">
        {create.isError && <ErrorState title={text.common.actionFailed} error={create.error} />}
        <TextInput
          label={text.settings.name}
          required
          data-autofocus
          maxLength={200}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label={text.settings.role}
          value={role}
          onChange={event => setRole(event.currentTarget.value as Role)}
          data={ROLES.map(value => ({ value, label: text.settings.roles[value] }))}
        />
        <TextInput
          type="datetime-local"
          label={text.settings.expires}
          description={text.settings.expiresHint}
          value={expires}
          onChange={event => setExpires(event.currentTarget.value)}
        />
        <FormButtons submitLabel={text.common.create} pending={create.isPending} close={close} />
      </Stack>
    </form>
  )
}
