'use client'

import { ActionIcon, Button, Menu, TextInput } from '@mantine/core'
import { IconChevronDown, IconKeyboard, IconLock, IconLockOpen, IconX } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { type FocusEvent, type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { TaskView } from '#protocol/task.ts'
import type { Input } from '#protocol/task-calls.ts'
import { plainText } from '../../lib/ansi.ts'
import { post, segment } from '../../lib/api.ts'
import { useIdleFocus } from '../../lib/use-idle-focus.ts'
import { useKeys } from '../../lib/use-keys.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Age } from '../time.tsx'
import classes from './input-bar.module.css'

interface InputBarProps {
  task: TaskView
  /** The run takes input, whether or not it is known to wait for it. */
  open: boolean
  close(): void
}

/** What the script asks, and a field to answer it in. Stays while it holds something that could not be sent. */
export function InputBar({ task, open, close }: InputBarProps) {
  const text = useMessages().input
  const waiting = task.status === 'PROCESSING' ? task.waitingForInput : null
  const [draft, setDraft] = useState('')
  const [hidden, setHidden] = useState<boolean>()
  /** The question that has been answered last, by when it was asked. */
  const [answered, setAnswered] = useState<string>()
  /** Who has answered goes on with the next question: the field stays while it has the focus. */
  const [staying, setStaying] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const sending = useMutation({
    mutationFn: (input: Partial<Input>) => post(`/tasks/${segment(task.id)}/input`, input),
    onSuccess: (_, input) => {
      setAnswered(waiting?.since)
      setStaying(true)
      setDraft(now => (now === input.text ? '' : now))
      field.current?.focus()
    },
  })
  const underway = waiting !== null && waiting.since === answered
  const runs = task.status === 'PROCESSING'
  const secret = hidden ?? waiting?.secret ?? false
  const shown = waiting !== null || (runs && (open || staying)) || draft !== '' || sending.isError
  useIdleFocus(field, waiting?.since)
  useKeys({ i: () => field.current?.focus() })
  // Another question has its own way of being answered.
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each question
  useEffect(() => setHidden(undefined), [waiting?.since])
  useEffect(() => {
    if (open) field.current?.focus()
  }, [open])
  if (!shown) return null

  const send = (rest: Partial<Input>) => sending.mutate({ text: draft, secret, ...rest })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    send({})
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'd' && event.ctrlKey) {
      event.preventDefault()
      send({ newline: draft !== '', eof: true })
    } else if (event.key === 'Escape') event.currentTarget.blur()
  }
  const leave = (event: FocusEvent) => {
    const next = event.relatedTarget
    // Its menu is drawn elsewhere on the page.
    if (next?.closest('[role="menu"]') || event.currentTarget.contains(next)) return
    setStaying(false)
  }
  const discard = () => {
    setDraft('')
    setStaying(false)
    sending.reset()
    close()
  }
  return (
    <form
      className={classes.bar}
      data-waiting={waiting !== null || undefined}
      onSubmit={submit}
      onBlur={leave}
      aria-label={text.form}
    >
      <div className={classes.question}>
        <IconKeyboard size={16} aria-hidden />
        <strong>{waiting ? text.waiting : runs ? text.sendInput : text.ended}</strong>
        {waiting && (
          <span className="soft">
            <Age at={waiting.since} />
          </span>
        )}
        {waiting?.prompt && <span className={classes.prompt}>{plainText(waiting.prompt)}</span>}
        {underway && <span className="soft">{text.sent}</span>}
        {!waiting && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={22}
            ml="auto"
            aria-label={text.closeField}
            onClick={discard}
          >
            <IconX size={14} aria-hidden />
          </ActionIcon>
        )}
      </div>
      <div className={classes.answer}>
        <TextInput
          ref={field}
          type={secret ? 'password' : 'text'}
          size="sm"
          className={classes.field}
          aria-label={waiting?.prompt ? text.answerTo(plainText(waiting.prompt)) : text.field}
          placeholder={text.placeholder}
          // Browsers offer to keep what stands in a password field, unless it is good once only.
          autoComplete={secret ? 'one-time-code' : 'off'}
          autoCorrect="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={64 * 1024}
          disabled={!runs}
          value={draft}
          onChange={event => setDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <ActionIcon
          variant={secret ? 'filled' : 'default'}
          size={36}
          aria-pressed={secret}
          aria-label={text.hide}
          title={text.hideHint}
          disabled={!runs}
          onClick={() => {
            setHidden(!secret)
            field.current?.focus()
          }}
        >
          {secret ? <IconLock size={16} aria-hidden /> : <IconLockOpen size={16} aria-hidden />}
        </ActionIcon>
        <Button.Group>
          <Button type="submit" disabled={!runs} loading={sending.isPending}>
            {text.send}
          </Button>
          <Menu position="top-end" withinPortal>
            <Menu.Target>
              <Button px={6} disabled={!runs} aria-label={text.moreWays}>
                <IconChevronDown size={14} aria-hidden />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item disabled={draft === ''} onClick={() => send({ newline: false })}>
                {text.sendRaw}
              </Menu.Item>
              <Menu.Item onClick={() => send({ newline: draft !== '', eof: true })}>{text.sendEof}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
      </div>
      {sending.isError && (
        <p className={classes.error} role="alert">
          {runs ? text.refused : text.tooLate} {sending.error.message}
        </p>
      )}
      {!runs && !sending.isError && (
        <p className={classes.error} role="alert">
          {text.notSent}
        </p>
      )}
    </form>
  )
}
