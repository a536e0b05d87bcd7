import { Button, Group, NumberInput, Popover, Stack } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { type FormEvent, useState } from 'react'
import { useMessages } from '../../messages/use-messages.ts'
import type { LogActions } from './use-log-view.ts'

interface JumpMenuProps {
  actions: LogActions
  opened: boolean
  setOpened(opened: boolean): void
}

/** Ways to be elsewhere in a log: a line by its number, its ends, its errors. */
export function JumpMenu({ actions, opened, setOpened }: JumpMenuProps) {
  const text = useMessages().log
  const [line, setLine] = useState<number | string>('')
  const go = (jump: () => void) => () => {
    setOpened(false)
    jump()
  }
  const toLine = (event: FormEvent) => {
    event.preventDefault()
    if (line === '') return
    go(() => actions.toLine(Number(line)))()
  }
  const places = [
    [text.toStart, actions.toStart],
    [text.toEnd, actions.toEnd],
    [text.toFirstError, actions.toFirstError],
    [text.toNextError, actions.toNextError],
  ] as const
  return (
    <Popover position="bottom-end" withinPortal trapFocus opened={opened} onChange={setOpened}>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant="default"
          rightSection={<IconChevronDown size={13} aria-hidden />}
          onClick={() => setOpened(!opened)}
        >
          {text.jump}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          <form onSubmit={toLine}>
            <Group gap={6} wrap="nowrap" align="end">
              <NumberInput
                size="xs"
                w={120}
                label={text.toLine}
                data-autofocus
                hideControls
                allowDecimal={false}
                allowNegative={false}
                thousandSeparator=","
                value={line}
                onChange={setLine}
              />
              <Button size="xs" type="submit">
                {text.go}
              </Button>
            </Group>
          </form>
          {places.map(([label, jump]) => (
            <Button key={label} size="compact-xs" variant="default" onClick={go(jump)}>
              {label}
            </Button>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
