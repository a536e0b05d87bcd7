import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { useCallback, useMemo } from 'react'

export const TIMES = ['off', 'clock', 'relative', 'date'] as const
export interface LogSettings {
  readonly times: (typeof TIMES)[number]
  readonly numbers: boolean
  readonly wrap: boolean
  readonly histogram: boolean
}

const FLAGS = ['numbers', 'wrap', 'histogram'] as const
const NARROW = '(max-width: 600px)'

/** A narrow screen has room for the text alone. */
const defaults = (narrow: boolean): LogSettings => ({
  times: narrow ? 'off' : 'clock',
  numbers: !narrow,
  wrap: narrow,
  histogram: !narrow,
})

/** How this reader likes logs: what was chosen is kept in this browser, the rest is up to the screen. */
export function useLogSettings(): [LogSettings, (change: Partial<LogSettings>) => void] {
  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false })
  const [chosen, set] = useLocalStorage<Partial<LogSettings>>({
    key: 'keruta-log-view',
    defaultValue: {},
    getInitialValueInEffect: false,
    deserialize: read,
  })
  const settings = useMemo(() => ({ ...defaults(narrow), ...chosen }), [narrow, chosen])
  const update = useCallback(
    (change: Partial<LogSettings>) => set(current => ({ ...current, ...change })),
    [set],
  )
  return [settings, update]
}

/** What is stored may be of another version, or not ours. */
function read(text = '{}'): Partial<LogSettings> {
  try {
    const stored: Partial<LogSettings> = JSON.parse(text) ?? {}
    const times = TIMES.find(value => value === stored.times)
    const flags = FLAGS.filter(name => typeof stored[name] === 'boolean').map(name => [name, stored[name]])
    return { ...(times && { times }), ...Object.fromEntries(flags) }
  } catch {
    return {}
  }
}
