import { ActionIcon, Menu } from '@mantine/core'
import {
  IconArrowBarToDown,
  IconArrowBarToUp,
  IconChevronDown,
  IconChevronUp,
  IconDots,
  IconGripVertical,
} from '@tabler/icons-react'
import Link from 'next/link'
import type { DragEventHandler, KeyboardEvent } from 'react'
import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { count } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { TaskActions } from '../task/task-actions.tsx'
import { Age } from '../time.tsx'
import classes from './queue.module.css'

type DropHandlers = Record<'onDragStart' | 'onDragOver' | 'onDrop' | 'onDragEnd', DragEventHandler>

interface QueueRowProps {
  task: TaskRow
  at: number
  /** Place of the queue's last row. */
  last: number
  /** Something is dragged over it. */
  over: boolean
  /** Undefined for who may not move it. */
  drop: DropHandlers | undefined
  move: ((to: number) => void) | undefined
}

export function QueueRow({ task, at, last, over, drop, move }: QueueRowProps) {
  const text = useMessages()
  const name = plainText(task.name)
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!event.altKey || !by || !move) return
    event.preventDefault()
    move(at + by)
  }
  return (
    <li
      className={classes.row}
      data-testid="queue-row"
      data-over={over || undefined}
      draggable={move !== undefined}
      onKeyDown={onKeyDown}
      {...drop}
    >
      {move && <IconGripVertical size={14} className={classes.grip} aria-hidden />}
      <span className={classes.place}>{at + 1}</span>
      <Link
        href={`/tasks/${encodeURIComponent(task.id)}`}
        prefetch={false}
        className={classes.name}
        draggable={false}
      >
        {name}
      </Link>
      <span className={`${classes.facts} soft nums`}>
        {task.priority !== 0 && <span>{text.sessions.priority(count(task.priority))}</span>}
        {(task.attempt > 1 || task.maxAttempts > 1) && (
          <span>{text.task.attempt(task.attempt, task.maxAttempts)}</span>
        )}
        {!task.hasScript && <span title={text.sessions.noScriptHint}>{text.sessions.noScript}</span>}
        {task.autoFixOf && <span>{text.autoFix.badge}</span>}
        <span>
          {text.task.waitsSince} <Age at={task.statusHistory.at(-1)?.at ?? task.createdAt} />
        </span>
      </span>
      <span className={classes.tools}>
        {move && (
          <>
            <ActionIcon
              variant="default"
              size={26}
              disabled={at === 0}
              aria-label={text.sessions.earlier(name)}
              title={text.sessions.earlierHint}
              onClick={() => move(at - 1)}
            >
              <IconChevronUp size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="default"
              size={26}
              disabled={at === last}
              aria-label={text.sessions.later(name)}
              title={text.sessions.laterHint}
              onClick={() => move(at + 1)}
            >
              <IconChevronDown size={15} aria-hidden />
            </ActionIcon>
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <ActionIcon variant="default" size={26} aria-label={text.sessions.place(name)}>
                  <IconDots size={15} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  leftSection={<IconArrowBarToUp size={15} aria-hidden />}
                  disabled={at === 0}
                  onClick={() => move(0)}
                >
                  {text.sessions.first}
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconArrowBarToDown size={15} aria-hidden />}
                  disabled={at === last}
                  onClick={() => move(last)}
                >
                  {text.sessions.lastPlace}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )}
        <TaskActions task={task} inList />
      </span>
    </li>
  )
}
