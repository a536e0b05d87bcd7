import { ActionIcon, Button, Input, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import type { ClipboardEvent } from 'react'
import { doubledName, type EnvRow, envRow, pastedRows } from '../../lib/env-rows.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './fields.module.css'

interface EnvEditorProps {
  label: string
  description?: string
  rows: readonly EnvRow[]
  onChange(rows: readonly EnvRow[]): void
  /** What is wrong with the variable of this name. */
  errorOf(name: string): string | undefined
  /** What is wrong with them all together. */
  error?: string
}

/** Variables, a row each; the lines of a pasted `.env` file become rows. */
export function EnvEditor({ label, description, rows, onChange, errorOf, error }: EnvEditorProps) {
  const text = useMessages().fields
  const doubled = doubledName(rows)
  const set = (id: number, part: Partial<EnvRow>) =>
    onChange(rows.map(row => (row.id === id ? { ...row, ...part } : row)))
  const paste = (event: ClipboardEvent, at: EnvRow) => {
    const pasted = pastedRows(event.clipboardData.getData('text'))
    if (!pasted) return
    event.preventDefault()
    onChange(
      rows.flatMap(row => (row.id !== at.id ? [row] : row.name || row.value ? [row, ...pasted] : pasted)),
    )
  }
  return (
    <Input.Wrapper
      label={label}
      description={description ?? text.envHint}
      error={error ?? (doubled && text.doubled(doubled))}
      labelElement="div"
      role="group"
      aria-label={label}
    >
      <div className={classes.env}>
        {rows.map(row => (
          <div key={row.id} className={classes.variable}>
            <TextInput
              size="xs"
              classNames={{ input: 'mono' }}
              aria-label={text.envName}
              placeholder={text.envName}
              error={errorOf(row.name.trim())}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              maxLength={1000}
              value={row.name}
              onPaste={event => paste(event, row)}
              onChange={event => set(row.id, { name: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              classNames={{ input: 'mono' }}
              aria-label={row.name ? text.envValueOf(row.name) : text.envValue}
              placeholder={text.envValue}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              value={row.value}
              onChange={event => set(row.id, { value: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.removeVariable(row.name)}
              onClick={() => onChange(rows.filter(one => one.id !== row.id))}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </div>
        ))}
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlus size={13} aria-hidden />}
          onClick={() => onChange([...rows, envRow()])}
        >
          {text.addVariable}
        </Button>
      </div>
    </Input.Wrapper>
  )
}
