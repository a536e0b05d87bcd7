import { useLocalStorage } from '@mantine/hooks'
import { useCallback } from 'react'

export const TIMES = ['off', 'clock', 'relative', 'date'] as const
export interface LogSettings {
  readonly times: (typeof TIMES)[number]
  readonly numbers: boolean
  readonly wrap: boolean
  readonly histogram: boolean
}

/** A narrow screen has room for the text alone. */
function defaults(): LogSettings {
  const narrow = typeof window !== 'undefined' && window.innerWidth < 600
  return { times: narrow ? 'off' : 'clock', numbers: !narrow, wrap: narrow, histogram: !narrow }
}

/** How this reader likes logs, kept in this browser. */
export function useLogSettings(): [LogSettings, (change: Partial<LogSettings>) => void] {
  const [settings, set] = useLocalStorage<LogSettings>({
    key: 'keruta-log-view',
    defaultValue: defaults(),
    getInitialValueInEffect: false,
    deserialize: read,
  })
  const update = useCallback(
    (change: Partial<LogSettings>) => set(current => ({ ...current, ...change })),
    [set],
  )
  return [settings, update]
}

function read(text: string | undefined): LogSettings {
  const fallback = defaults()
  try {
    const stored: Partial<LogSettings> = JSON.parse(text ?? '{}')
    const times = TIMES.find(value => value === stored.times) ?? fallback.times
    const flag = (name: 'numbers' | 'wrap' | 'histogram') => stored[name] ?? fallback[name]
    return { times, numbers: flag('numbers'), wrap: flag('wrap'), histogram: flag('histogram') }
  } catch {
    return fallback
  }
}
