'use client'

import { CloseButton, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useRef } from 'react'
import { useDraft } from '../../lib/use-draft.ts'
import { useKeys } from '../../lib/use-keys.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './fields.module.css'

interface SearchFieldProps {
  value: string
  /** Called once the reader rests. */
  onChange(value: string): void
}

/** Narrows a list by name or id; `/` leads to it. */
export function SearchField({ value, onChange }: SearchFieldProps) {
  const text = useMessages()
  const field = useRef<HTMLInputElement>(null)
  const [draft, setDraft, sent] = useDraft(value)
  const change = useDebouncedCallback((next: string) => {
    sent(next)
    onChange(next)
  }, 250)
  useKeys({ '/': () => field.current?.focus() })
  const edit = (next: string) => {
    setDraft(next)
    change(next)
  }
  return (
    <TextInput
      ref={field}
      size="xs"
      className={classes.search}
      aria-label={text.tasks.search}
      placeholder={text.tasks.search}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        draft && <CloseButton size="xs" aria-label={text.log.clearText} onClick={() => edit('')} />
      }
      maxLength={200}
      value={draft}
      onChange={event => edit(event.currentTarget.value)}
      onKeyDown={event => event.key === 'Escape' && event.currentTarget.blur()}
    />
  )
}
