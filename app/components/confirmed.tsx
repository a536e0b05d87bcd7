'use client'

import { ActionIcon, Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useMessages } from '../messages/use-messages.ts'
import { ErrorState } from './states.tsx'

interface ConfirmedProps {
  label: string
  icon: ReactNode
  /** The button shows only its icon. */
  iconOnly?: boolean
  title: string
  explanation: string
  confirm: string
  danger?: boolean
  /** Asks for a reason, which `run` is given; empty where none was written. */
  withReason?: boolean
  /** The dialog stays, and says why, where this fails. */
  run(reason: string): Promise<unknown>
}

/** A button for what should not happen by a slip: it asks first. */
export function Confirmed(props: ConfirmedProps) {
  const { label, icon } = props
  const [opened, { open, close }] = useDisclosure()
  return (
    <>
      {props.iconOnly ? (
        <ActionIcon variant="default" size={26} aria-label={label} title={label} onClick={open}>
          {icon}
        </ActionIcon>
      ) : (
        <Button size="compact-sm" variant="default" leftSection={icon} onClick={open}>
          {label}
        </Button>
      )}
      <Modal opened={opened} onClose={close} title={props.title}>
        <Question {...props} close={close} />
      </Modal>
    </>
  )
}

function Question({
  explanation,
  confirm,
  danger,
  withReason,
  run,
  close,
}: ConfirmedProps & { close(): void }) {
  const text = useMessages().common
  const [reason, setReason] = useState('')
  const action = useMutation({ mutationFn: () => run(reason.trim()), onSuccess: close })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    action.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <span>{explanation}</span>
        {action.isError && <ErrorState title={text.actionFailed} error={action.error} />}
        {withReason && (
          <TextInput
            label={text.reason}
            maxLength={1000}
            data-autofocus
            value={reason}
            onChange={event => setReason(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus={!withReason || undefined}>
            {text.keep}
          </Button>
          <Button type="submit" color={danger ? 'red' : undefined} loading={action.isPending}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
