'use client'

import { notifications } from '@mantine/notifications'
import { IconKeyboard } from '@tabler/icons-react'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useCallback, useEffect } from 'react'
import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../lib/ansi.ts'
import { useLiveTaskLists } from '../lib/live-tasks.ts'
import { useTitleBadge } from '../lib/use-title-badge.ts'
import { useWaitingChanges, useWaitingTasks } from '../lib/waiting-tasks.ts'
import { useMessages } from '../messages/use-messages.ts'
import classes from './shell.module.css'

const TOAST_MS = 20_000
const toastId = (taskId: string) => `waiting-${taskId}`
const pathOf = (taskId: string) => `/tasks/${encodeURIComponent(taskId)}`

/** On every page: how many scripts wait for somebody to type, and a word when another begins to. */
export function WaitingWatch() {
  const text = useMessages().input
  const path = usePathname()
  const waiting = useWaitingTasks()
  useLiveTaskLists()
  useTitleBadge(waiting?.length ?? 0)
  const began = useCallback(
    (task: TaskRow) => {
      if (path === pathOf(task.id)) return
      notifications.show({
        id: toastId(task.id),
        title: text.waits(plainText(task.name)),
        message: <Asked task={task} />,
        icon: <IconKeyboard size={18} aria-hidden />,
        autoClose: TOAST_MS,
      })
    },
    [path, text],
  )
  useWaitingChanges(
    waiting,
    began,
    useCallback(taskId => notifications.hide(toastId(taskId)), []),
  )
  // Who has come to the task needs to be told no more.
  useEffect(() => {
    for (const task of waiting ?? []) if (path === pathOf(task.id)) notifications.hide(toastId(task.id))
  }, [path, waiting])
  if (!waiting?.length) return null
  const only = waiting.length === 1 ? waiting[0] : undefined
  return (
    <Link
      href={only ? pathOf(only.id) : '/tasks?status=WAITING'}
      className={classes.waiting}
      aria-label={text.waitingTasks(waiting.length)}
      title={text.waitingTasks(waiting.length)}
      data-testid="waiting-count"
    >
      <IconKeyboard size={15} aria-hidden />
      {waiting.length}
    </Link>
  )
}

function Asked({ task }: { task: TaskRow }) {
  const text = useMessages().input
  return (
    <>
      {task.waitingForInput?.prompt && (
        <div className={classes.prompt}>{plainText(task.waitingForInput.prompt)}</div>
      )}
      <Link href={pathOf(task.id)} onClick={() => notifications.hide(toastId(task.id))}>
        {text.answer}
      </Link>
    </>
  )
}
