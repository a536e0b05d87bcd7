import { Button, Checkbox, Group, Popover, Radio, Stack } from '@mantine/core'
import { IconCalendarTime, IconChevronDown, IconFilter, IconStack2 } from '@tabler/icons-react'
import { useState } from 'react'
import { SOURCES } from '#protocol/levels.ts'
import type { LogAddress } from '../../lib/log-url.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './log-toolbar.module.css'

const chevron = <IconChevronDown size={13} aria-hidden />

interface AddressProps {
  address: LogAddress
  change(part: Partial<LogAddress>): void
}

export function SourceMenu({ address, change }: AddressProps) {
  const text = useMessages().log
  const all = address.source.length === 0
  const toggle = (source: (typeof SOURCES)[number]) => {
    const next = SOURCES.filter(one => (one === source) !== (all || address.source.includes(one)))
    change({ source: next.length === SOURCES.length || next.length === 0 ? [] : next })
  }
  return (
    <Popover position="bottom-start" withinPortal trapFocus>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant={all ? 'default' : 'filled'}
          leftSection={<IconFilter size={13} aria-hidden />}
          rightSection={chevron}
        >
          {all ? text.sources : address.source.join(', ')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs" role="group" aria-label={text.sourceLabel}>
          {SOURCES.map(source => (
            <Checkbox
              key={source}
              size="xs"
              label={source}
              checked={all || address.source.includes(source)}
              onChange={() => toggle(source)}
            />
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

export function TimeMenu({ address, change }: AddressProps) {
  const text = useMessages().log
  const [opened, setOpened] = useState(false)
  const active = address.from !== '' || address.to !== ''
  return (
    <Popover position="bottom-start" withinPortal trapFocus opened={opened} onChange={setOpened}>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant={active ? 'filled' : 'default'}
          leftSection={<IconCalendarTime size={13} aria-hidden />}
          rightSection={chevron}
          onClick={() => setOpened(now => !now)}
        >
          {text.timeRange}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={event => {
            event.preventDefault()
            const data = new FormData(event.currentTarget)
            change({ from: instantOf(data.get('from')), to: instantOf(data.get('to')) })
            setOpened(false)
          }}
        >
          <Stack gap="xs">
            {(['from', 'to'] as const).map(name => (
              <label key={name}>
                <span style={{ display: 'block', fontSize: 12 }}>{text[name]}</span>
                <input type="datetime-local" name={name} step="0.001" defaultValue={localOf(address[name])} />
              </label>
            ))}
            <Group gap="xs">
              <Button size="compact-xs" type="submit">
                {text.apply}
              </Button>
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => {
                  change({ from: '', to: '' })
                  setOpened(false)
                }}
              >
                {text.clearTime}
              </Button>
            </Group>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}

/** The steps that have been seen; only where there are any. */
export function StepMenu({ address, change, steps }: AddressProps & { steps: readonly string[] }) {
  const text = useMessages().log
  const [opened, setOpened] = useState(false)
  const known = address.step && !steps.includes(address.step) ? [...steps, address.step] : steps
  if (known.length === 0) return null
  return (
    <Popover position="bottom-start" withinPortal trapFocus opened={opened} onChange={setOpened}>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant={address.step ? 'filled' : 'default'}
          leftSection={<IconStack2 size={13} aria-hidden />}
          rightSection={chevron}
          classNames={{ label: classes.chosen }}
          onClick={() => setOpened(now => !now)}
        >
          {address.step || text.steps}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.choices}>
        <Radio.Group
          size="xs"
          aria-label={text.stepLabel}
          value={address.step}
          onChange={step => change({ step })}
        >
          <Stack gap={6}>
            {['', ...known].map(step => (
              <Radio key={step} size="xs" value={step} label={step || text.anyStep} />
            ))}
          </Stack>
        </Radio.Group>
      </Popover.Dropdown>
    </Popover>
  )
}

function instantOf(value: FormDataEntryValue | null): string {
  const time = typeof value === 'string' && value ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}

/** Local time as `datetime-local` fields write it. */
function localOf(instant: string): string {
  if (!instant) return ''
  const at = new Date(instant)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, -1)
}
