'use client'

import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type KeyboardEvent, type MouseEvent, useRef } from 'react'
import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { shortCount } from '../../lib/format.ts'
import { useKeys } from '../../lib/use-keys.ts'
import { isWaiting } from '../../lib/waiting-tasks.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { StatusBadge } from '../status-badge.tsx'
import { TaskActions } from '../task/task-actions.tsx'
import { Age, Elapsed } from '../time.tsx'
import { ProgressBar } from './progress-bar.tsx'
import classes from './task-table.module.css'

interface TaskTableProps {
  tasks: TaskRow[]
  stale?: boolean
  /** What can be done with a task stands in its row. */
  withActions?: boolean
}

/** Tasks as dense rows, as cards where there is little room. j and k move, Enter opens. */
export function TaskTable({ tasks, stale, withActions }: TaskTableProps) {
  const text = useMessages().tasks
  const router = useRouter()
  const body = useRef<HTMLTableSectionElement>(null)

  const move = (by: number) => {
    const rows = [...(body.current?.rows ?? [])]
    const at = rows.findIndex(row => row.contains(document.activeElement))
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]
    next?.querySelector('a')?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  useKeys({ j: () => move(1), k: () => move(-1) })
  const onArrow = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    move(event.key === 'ArrowDown' ? 1 : -1)
  }
  const open = (event: MouseEvent, id: string) => {
    const target = event.target as HTMLElement
    // A dialog's events come here as well, though it stands elsewhere.
    if (!event.currentTarget.contains(target)) return
    if (target.closest('a, button') || getSelection()?.toString()) return
    router.push(taskPath(id))
  }
  return (
    <table className={classes.table} aria-label={text.listLabel} data-stale={stale || undefined}>
      <thead>
        <tr>
          <th scope="col">{text.columns.status}</th>
          <th scope="col">{text.columns.name}</th>
          <th scope="col">{text.columns.progress}</th>
          <th scope="col" className={classes.number}>
            {text.columns.age}
          </th>
          <th scope="col" className={classes.number}>
            {text.columns.duration}
          </th>
          <th scope="col" className={classes.number}>
            {text.columns.lines}
          </th>
          <th scope="col" className={classes.number}>
            {text.columns.warnings}
          </th>
          <th scope="col" className={classes.number}>
            {text.columns.errors}
          </th>
          <th scope="col" className={classes.number}>
            {text.columns.attempt}
          </th>
          {withActions && <th scope="col">{text.columns.actions}</th>}
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={onArrow}>
        {tasks.map(task => (
          <tr key={task.id} onClick={event => open(event, task.id)} data-testid="task-row">
            <td className={classes.status}>
              <StatusBadge status={isWaiting(task) ? 'WAITING' : task.status} />
            </td>
            <td className={classes.name}>
              <Link href={taskPath(task.id)} prefetch={false} className={classes.link}>
                {plainText(task.name)}
              </Link>
              {task.name !== task.id && <span className={classes.id}>{task.id}</span>}
            </td>
            <td className={classes.progress}>
              <ProgressBar task={task} />
            </td>
            <td className={classes.number} data-label={text.columns.age}>
              <Age at={task.createdAt} />
            </td>
            <td className={classes.number} data-label={text.columns.duration}>
              <Elapsed task={task} />
            </td>
            <td className={classes.number} data-label={text.columns.lines}>
              {shortCount(task.logs.total)}
            </td>
            <Count n={task.logs.byLevel.WARN} label={text.columns.warnings} tone="warn" />
            <Count
              n={task.logs.byLevel.ERROR + task.logs.byLevel.CRITICAL}
              label={text.columns.errors}
              tone="error"
            />
            <td
              className={classes.number}
              data-label={text.columns.attempt}
              data-zero={task.maxAttempts === 1 || undefined}
            >
              {text.attempt(task.attempt, task.maxAttempts)}
            </td>
            {withActions && (
              <td>
                <TaskActions task={task} inList />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const taskPath = (id: string) => `/tasks/${encodeURIComponent(id)}`

function Count({ n, label, tone }: { n: number; label: string; tone: string }) {
  return (
    <td
      className={classes.number}
      data-label={label}
      data-tone={n > 0 ? tone : undefined}
      data-zero={n === 0 || undefined}
    >
      {n > 0 ? shortCount(n) : '·'}
    </td>
  )
}
