import { Input } from '@mantine/core'
import { useId } from '@mantine/hooks'
import { type CSSProperties, type KeyboardEvent, type ReactNode, useRef, useState } from 'react'
import { type Edit, indented, outdented } from '../../lib/indent.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './fields.module.css'

interface ScriptEditorProps {
  label: string
  description?: ReactNode
  error?: string
  value: string
  onChange(value: string): void
  minRows?: number
}

const MAX_ROWS = 22

/** A script as text with line numbers. Tab indents; after Escape it leaves the field, as everywhere else. */
export function ScriptEditor({ label, description, error, value, onChange, minRows = 6 }: ScriptEditorProps) {
  const text = useMessages().fields
  const id = useId()
  const gutter = useRef<HTMLDivElement>(null)
  /** The next Tab leaves the field. */
  const [leaves, setLeaves] = useState(false)
  const lines = value.split('\n').length
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Escape') setLeaves(true)
    else if (event.key === 'Tab' && !leaves && !event.ctrlKey && !event.altKey) {
      event.preventDefault()
      const { selectionStart, selectionEnd } = event.currentTarget
      const change = event.shiftKey ? outdented : indented
      apply(event.currentTarget, change(value, selectionStart, selectionEnd))
    } else if (event.key !== 'Shift' && event.key !== 'Tab') setLeaves(false)
  }
  return (
    <Input.Wrapper id={id} label={label} description={description ?? text.scriptKeys} error={error}>
      <div
        className={classes.editor}
        data-error={error ? true : undefined}
        style={{ '--digits': Math.max(2, String(lines).length) } as CSSProperties}
      >
        <div ref={gutter} className={classes.gutter} aria-hidden>
          {Array.from({ length: lines }, (_, at) => at + 1).join('\n')}
        </div>
        <textarea
          id={id}
          className={classes.script}
          rows={Math.min(MAX_ROWS, Math.max(minRows, lines))}
          value={value}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          aria-invalid={error ? true : undefined}
          aria-describedby={`${id}-description${error ? ` ${id}-error` : ''}`}
          onChange={event => onChange(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onFocus={() => setLeaves(false)}
          // The dialog around it closes at the second Escape.
          data-mantine-stop-propagation={!leaves}
          onScroll={event => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop
          }}
        />
      </div>
    </Input.Wrapper>
  )
}

/** As if it had been typed, so that it can be undone. */
function apply(field: HTMLTextAreaElement, edit: Edit): void {
  field.setSelectionRange(edit.from, edit.to)
  document.execCommand(edit.text ? 'insertText' : 'delete', false, edit.text)
  field.setSelectionRange(edit.selectionStart, edit.selectionEnd)
}
