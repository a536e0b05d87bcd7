'use client'

import { Button, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import Link from 'next/link'
import { type DragEvent, useLayoutEffect, useRef, useState } from 'react'
import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { patch, segment } from '../../lib/api.ts'
import { keys, type TaskList, useRights } from '../../lib/queries.ts'
import { moveInQueue } from '../../lib/queue-order.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './queue.module.css'
import { QueueRow } from './queue-row.tsx'

/** What has ended stands below the queue, and should be in sight. */
const FEW = 20

interface QueueProps {
  sessionId: string
  /** In the order in which they are taken. */
  queue: readonly TaskRow[]
  /** Tasks behind those. */
  more: number
  /** Whether agents take tasks of this session. */
  active: boolean
}

/** What waits for its turn. Buttons, Alt with an arrow key, and dragging change the order, by way of the tasks' priorities. */
export function Queue({ sessionId, queue, more, active }: QueueProps) {
  const text = useMessages().sessions
  const { operate } = useRights()
  const move = useMove(queue)
  const [over, setOver] = useState<number>()
  const [all, setAll] = useState(false)
  const shown = all ? queue : queue.slice(0, FEW)
  const behind = queue.length - shown.length + more
  const dragged = useRef<number>(undefined)
  if (queue.length === 0) return <p className={classes.none}>{active ? text.queueEmpty : text.noneWaits}</p>
  const dropAt = (at: number) => ({
    onDragStart: (event: DragEvent) => {
      dragged.current = at
      event.dataTransfer.effectAllowed = 'move'
    },
    onDragOver: (event: DragEvent) => {
      if (dragged.current === undefined) return
      event.preventDefault()
      setOver(at)
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      if (dragged.current !== undefined) move.to(dragged.current, at)
    },
    onDragEnd: () => {
      dragged.current = undefined
      setOver(undefined)
    },
  })
  return (
    <>
      <ol className={classes.list} ref={move.list}>
        {shown.map((task, at) => (
          <QueueRow
            key={task.id}
            task={task}
            at={at}
            last={queue.length - 1}
            over={over === at && dragged.current !== at}
            drop={operate ? dropAt(at) : undefined}
            move={operate ? to => move.to(at, to) : undefined}
          />
        ))}
      </ol>
      {behind > 0 && (
        <p className={classes.none}>
          {text.moreQueued(behind)}{' '}
          {shown.length < queue.length && (
            <Button size="compact-xs" variant="default" mx={8} onClick={() => setAll(true)}>
              {text.showQueued(queue.length)}
            </Button>
          )}
          <Link href={`/tasks?sessionId=${encodeURIComponent(sessionId)}&status=PENDING&sort=priority:desc`}>
            {text.queuedInList}
          </Link>
        </p>
      )}
      <VisuallyHidden role="status">{move.said}</VisuallyHidden>
    </>
  )
}

/** Moves a task: at once in sight, then on the server, one change after the other. */
function useMove(queue: readonly TaskRow[]) {
  const text = useMessages()
  const client = useQueryClient()
  const list = useRef<HTMLOListElement>(null)
  const focused = useRef<HTMLElement>(null)
  const [said, say] = useState('')

  // Who moves a row by keyboard stays on its button, though the row is put elsewhere.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each order of the rows
  useLayoutEffect(() => {
    if (document.activeElement === document.body) focused.current?.focus()
    focused.current = null
  }, [queue])

  const to = (from: number, at: number) => {
    const changes = moveInQueue(queue, from, at)
    const moved = queue[from]
    if (changes.length === 0 || !moved) return
    const active = document.activeElement
    focused.current = active instanceof HTMLElement && list.current?.contains(active) ? active : null
    say(text.sessions.movedTo(plainText(moved.name), at + 1))
    const priorities = new Map(changes.map(({ id, priority }) => [id, priority]))
    client.setQueriesData<TaskList>(
      { queryKey: keys.taskLists },
      known =>
        known && {
          ...known,
          content: known.content.map(task => ({
            ...task,
            priority: priorities.get(task.id) ?? task.priority,
          })),
        },
    )
    void send(changes)
      .catch((error: Error) =>
        notifications.show({ color: 'red', title: text.common.actionFailed, message: error.message }),
      )
      .finally(() => void client.invalidateQueries({ queryKey: keys.taskLists }))
  }
  return { to, list, said }
}

async function send(changes: ReturnType<typeof moveInQueue>): Promise<void> {
  for (const { id, priority } of changes) await patch(`/tasks/${segment(id)}`, { priority })
}
