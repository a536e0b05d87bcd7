'use client'

import {
  ActionIcon,
  type MantineColorScheme,
  SegmentedControl,
  Tooltip,
  useMantineColorScheme,
} from '@mantine/core'
import { useMounted } from '@mantine/hooks'
import { IconBrightness, IconMoon, IconSun } from '@tabler/icons-react'
import { useMessages } from '../messages/use-messages.ts'

const ORDER: readonly MantineColorScheme[] = ['auto', 'light', 'dark']
const ICONS = { auto: IconBrightness, light: IconSun, dark: IconMoon }

/** Goes through system, light and dark. */
export function ColorSchemeButton() {
  const { scheme, setColorScheme, text } = useScheme()
  const Icon = ICONS[scheme]
  const next = ORDER[(ORDER.indexOf(scheme) + 1) % ORDER.length] as MantineColorScheme
  const label = `${text.label}: ${text[scheme]}`
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={() => setColorScheme(next)}>
        <Icon size={18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  )
}

export function ColorSchemeChoice() {
  const { scheme, setColorScheme, text } = useScheme()
  return (
    <SegmentedControl
      aria-label={text.label}
      value={scheme}
      onChange={value => setColorScheme(value as MantineColorScheme)}
      data={ORDER.map(value => ({ value, label: text[value] }))}
    />
  )
}

/** The server does not know the reader's choice: what it draws is the system's, until the page is alive. */
function useScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const mounted = useMounted()
  return { scheme: mounted ? colorScheme : ('auto' as const), setColorScheme, text: useMessages().theme }
}
