import { ActionIcon, CloseButton, SegmentedControl, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp, IconLetterCase, IconRegex } from '@tabler/icons-react'
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { compiles, type LogAddress } from '../../lib/log-url.ts'
import { useDraft } from '../../lib/use-draft.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './log-toolbar.module.css'
import type { Direction, Found } from './use-find.ts'

interface TextSearchProps {
  address: LogAddress
  change(part: Partial<LogAddress>): void
  found: Found
  /** Lines that the filter shows, where it filters by text. */
  filtered: number | undefined
  step(direction: Direction): void
  field: RefObject<HTMLInputElement | null>
}

type Mode = 'find' | 'filter'
const DELAY_MS = 300

/** One text, used to find lines among all, or to show only those that hold it. */
export function TextSearch({ address, change, found, filtered, step, field }: TextSearchProps) {
  const text = useMessages().log
  const [mode, setMode] = useState<Mode>(address.search ? 'filter' : 'find')
  const given = address.search || address.find
  const [draft, setDraft, sent] = useDraft(given)
  useEffect(() => {
    if (given) setMode(address.search ? 'filter' : 'find')
  }, [given, address.search])
  const apply = (value: string, as: Mode) => {
    sent(value)
    change(as === 'find' ? { find: value, search: '' } : { find: '', search: value })
  }
  const applySoon = useDebouncedCallback(apply, DELAY_MS)
  const edit = (value: string) => {
    setDraft(value)
    applySoon(value, mode)
  }
  const clear = () => {
    setDraft('')
    applySoon.cancel()
    apply('', mode)
  }
  // Enter goes to the first match at once, also where the page does not yet look for the new text.
  const pending = useRef<{ text: string; direction: Direction }>(undefined)
  useEffect(() => {
    const wish = pending.current
    if (!wish || wish.text !== address.find) return
    pending.current = undefined
    step(wish.direction)
  }, [address.find, step])
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') event.currentTarget.blur()
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    event.preventDefault()
    const direction = event.shiftKey ? 'previous' : 'next'
    if (draft !== given) {
      applySoon.cancel()
      if (mode === 'find') pending.current = { text: draft, direction }
      apply(draft, mode)
    } else if (mode === 'find') step(direction)
  }
  const bad = address.regex && !compiles(draft)
  return (
    <search className={classes.search}>
      <SegmentedControl
        size="xs"
        aria-label={text.modes.label}
        value={mode}
        onChange={value => {
          setMode(value as Mode)
          if (draft) apply(draft, value as Mode)
        }}
        data={[
          { value: 'find', label: text.modes.find },
          { value: 'filter', label: text.modes.filter },
        ]}
      />
      <TextInput
        ref={field}
        size="xs"
        className={classes.text}
        aria-label={text.search[mode]}
        placeholder={text.search[mode]}
        data-testid="log-search"
        maxLength={1000}
        value={draft}
        error={bad}
        onChange={event => edit(event.currentTarget.value)}
        onKeyDown={onKey}
        rightSection={draft && <CloseButton size="xs" aria-label={text.clearText} onClick={clear} />}
      />
      <Flag
        label={text.caseSensitive}
        on={address.caseSensitive}
        icon={IconLetterCase}
        set={on => change({ caseSensitive: on })}
      />
      <Flag label={text.regex} on={address.regex} icon={IconRegex} set={on => change({ regex: on })} />
      <span className={classes.found} role="status" data-testid="match-count">
        {bad ? text.badRegex : draft && summary(text, mode, found, filtered)}
      </span>
      {mode === 'find' && address.find && (
        <>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.previousMatch}
            title={text.previousMatch}
            onClick={() => step('previous')}
          >
            <IconArrowUp size={16} aria-hidden />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.nextMatch}
            title={text.nextMatch}
            onClick={() => step('next')}
          >
            <IconArrowDown size={16} aria-hidden />
          </ActionIcon>
        </>
      )}
    </search>
  )
}

interface FlagProps {
  label: string
  on: boolean
  icon: typeof IconRegex
  set(on: boolean): void
}

function Flag({ label, on, icon: Icon, set }: FlagProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={on ? 'filled' : 'default'}
        aria-label={label}
        aria-pressed={on}
        onClick={() => set(!on)}
      >
        <Icon size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  )
}

function summary(
  text: ReturnType<typeof useMessages>['log'],
  mode: Mode,
  found: Found,
  filtered: number | undefined,
): string {
  if (mode === 'filter') return filtered === undefined ? text.searching : text.total(filtered)
  if (found.error) return found.error.message
  if (found.total === undefined) return text.searching
  return found.total === 0 ? text.noMatches : text.matches(found.current?.rank, found.total)
}
