import { Button, Group } from '@mantine/core'
import { useMessages } from '../../messages/use-messages.ts'

/** The end of a form in a dialog: give it up, or send it. */
export function FormButtons({
  submitLabel,
  pending,
  close,
}: {
  submitLabel: string
  pending: boolean
  close(): void
}) {
  const text = useMessages()
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={close}>
        {text.common.cancel}
      </Button>
      <Button type="submit" loading={pending}>
        {submitLabel}
      </Button>
    </Group>
  )
}
