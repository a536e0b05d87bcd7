import { Button, Checkbox, Menu, Popover, Radio, Stack } from '@mantine/core'
import { IconChevronDown, IconDownload, IconEye } from '@tabler/icons-react'
import { apiUrl, segment } from '../../lib/api.ts'
import { filterParams, isFiltered, type LogAddress } from '../../lib/log-url.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { type LogSettings, TIMES } from './use-log-settings.ts'

const FORMATS = ['txt', 'csv', 'json', 'ndjson'] as const
const chevron = <IconChevronDown size={13} aria-hidden />

interface ViewMenuProps {
  settings: LogSettings
  set(part: Partial<LogSettings>): void
  toggleFolds(): void
}

export function ViewMenu({ settings, set, toggleFolds }: ViewMenuProps) {
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
          <Button size="compact-xs" variant="default" onClick={toggleFolds}>
            {text.foldAll}
          </Button>
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
