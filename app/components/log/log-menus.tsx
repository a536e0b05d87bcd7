import { Button, Checkbox, Group, Menu, Popover, Radio, Stack } from '@mantine/core'
import { IconCalendarTime, IconChevronDown, IconDownload, IconEye, IconFilter } from '@tabler/icons-react'
import { useState } from 'react'
import { SOURCES } from '#protocol/levels.ts'
import { apiUrl, segment } from '../../lib/api.ts'
import { filterParams, isFiltered, type LogAddress } from '../../lib/log-url.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { type LogSettings, TIMES } from './use-log-settings.ts'

const FORMATS = ['txt', 'csv', 'json', 'ndjson'] as const
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

export function ViewMenu({
  settings,
  set,
}: {
  settings: LogSettings
  set(part: Partial<LogSettings>): void
}) {
  const text = useMessages().log
  return (
    <Popover position="bottom-end" withinPortal trapFocus>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconEye size={13} aria-hidden />}
          rightSection={chevron}
        >
          {text.view}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Radio.Group
            size="xs"
            label={text.timestamps}
            value={settings.times}
            onChange={value => set({ times: value as LogSettings['times'] })}
          >
            <Stack gap={4} mt={4}>
              {TIMES.map(value => (
                <Radio key={value} size="xs" value={value} label={text.times[value]} />
              ))}
            </Stack>
          </Radio.Group>
          <Checkbox
            size="xs"
            label={text.lineNumbers}
            checked={settings.numbers}
            onChange={() => set({ numbers: !settings.numbers })}
          />
          <Checkbox
            size="xs"
            label={text.wrap}
            checked={settings.wrap}
            onChange={() => set({ wrap: !settings.wrap })}
          />
          <Checkbox
            size="xs"
            label={text.histogramToggle}
            checked={settings.histogram}
            onChange={() => set({ histogram: !settings.histogram })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

export function DownloadMenu({ taskId, address }: { taskId: string; address: LogAddress }) {
  const text = useMessages().log
  const link = (format: string, filter: Record<string, string>) =>
    apiUrl(`/tasks/${segment(taskId)}/logs/export`, { format, ...filter })
  const items = (filter: Record<string, string>) =>
    FORMATS.map(format => (
      <Menu.Item key={format} component="a" href={link(format, filter)} download>
        {text.formats[format]}
      </Menu.Item>
    ))
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconDownload size={13} aria-hidden />}
          rightSection={chevron}
        >
          {text.download}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{text.downloadAll}</Menu.Label>
        {items({})}
        {isFiltered(address) && (
          <>
            <Menu.Label>{text.downloadFiltered}</Menu.Label>
            {items(filterParams(address))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

interface JumpMenuProps {
  toStart(): void
  toEnd(): void
  toFirstError(): void
  toNextError(): void
}

export function JumpMenu({ toStart, toEnd, toFirstError, toNextError }: JumpMenuProps) {
  const text = useMessages().log
  return (
    <Menu position="bottom-end" withinPortal returnFocus={false}>
      <Menu.Target>
        <Button size="compact-xs" variant="default" rightSection={chevron}>
          {text.jump}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={toStart}>{text.toStart}</Menu.Item>
        <Menu.Item onClick={toEnd}>{text.toEnd}</Menu.Item>
        <Menu.Item onClick={toFirstError}>{text.toFirstError}</Menu.Item>
        <Menu.Item onClick={toNextError}>{text.toNextError}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
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
