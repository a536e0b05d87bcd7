'use client'

import { Button, Group, Modal, Stack, Table, VisuallyHidden } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ApiKeyView } from '#protocol/auth.ts'
import type { Page } from '#protocol/page.ts'
import { del, get, segment } from '../../lib/api.ts'
import { dateTime } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { Age } from '../time.tsx'
import { NewApiKey } from './new-api-key.tsx'

const QUERY_KEY = ['api-keys']

export function ApiKeys() {
  const text = useMessages().settings
  const client = useQueryClient()
  const keys = useQuery({
    queryKey: QUERY_KEY,
    queryFn: ({ signal }) => get<Page<ApiKeyView>>('/api-keys', { size: 1000 }, signal),
  })
  const refresh = () => void client.invalidateQueries({ queryKey: QUERY_KEY })
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <span className="soft">{text.keysText}</span>
        <NewApiKey onCreated={refresh} />
      </Group>
      {keys.isError ? (
        <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />
      ) : !keys.data ? (
        <LoadingRows rows={3} />
      ) : keys.data.content.length === 0 ? (
        <span className="soft">{text.noKeys}</span>
      ) : (
        <KeyTable keys={keys.data.content} onRevoked={refresh} />
      )}
    </Stack>
  )
}

function KeyTable({ keys, onRevoked }: { keys: ApiKeyView[]; onRevoked(): void }) {
  const text = useMessages().settings
  return (
    <Table.ScrollContainer minWidth={320}>
      <Table verticalSpacing={4} tabularNums>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.name}</Table.Th>
            <Table.Th>{text.role}</Table.Th>
            <Table.Th visibleFrom="sm">{text.created}</Table.Th>
            <Table.Th visibleFrom="sm">{text.lastUsed}</Table.Th>
            <Table.Th visibleFrom="sm">{text.expires}</Table.Th>
            <Table.Th>{text.state}</Table.Th>
            <Table.Th>
              <VisuallyHidden>{text.revoke}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map(key => (
            <Table.Tr key={key.id}>
              <Table.Td fw={600}>{key.name}</Table.Td>
              <Table.Td>{key.role}</Table.Td>
              <Table.Td visibleFrom="sm">
                <Age at={key.createdAt} />
              </Table.Td>
              <Table.Td visibleFrom="sm">
                {key.lastUsedAt ? <Age at={key.lastUsedAt} /> : text.never}
              </Table.Td>
              <Table.Td visibleFrom="sm">
                {key.expiresAt ? dateTime(new Date(key.expiresAt)).slice(0, 16) : text.never}
              </Table.Td>
              <Table.Td>{text[stateOf(key)]}</Table.Td>
              <Table.Td ta="right">
                {!key.revokedAt && <Revoke apiKey={key} onRevoked={onRevoked} />}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function stateOf(key: ApiKeyView): 'revoked' | 'expired' | 'active' {
  if (key.revokedAt) return 'revoked'
  return key.expiresAt && Date.parse(key.expiresAt) < Date.now() ? 'expired' : 'active'
}

function Revoke({ apiKey, onRevoked }: { apiKey: ApiKeyView; onRevoked(): void }) {
  const text = useMessages()
  const [opened, { open, close }] = useDisclosure()
  const revoke = useMutation({
    mutationFn: () => del(`/api-keys/${segment(apiKey.id)}`),
    onSuccess: () => {
      close()
      onRevoked()
    },
    onError: error =>
      notifications.show({ color: 'red', title: text.common.actionFailed, message: error.message }),
  })
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={open}>
        {text.settings.revoke}
      </Button>
      <Modal opened={opened} onClose={close} title={text.settings.revokeTitle(apiKey.name)}>
        <Stack gap="sm">
          {text.settings.revokeText}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {text.common.cancel}
            </Button>
            <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
              {text.settings.revoke}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
