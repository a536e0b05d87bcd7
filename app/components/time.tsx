'use client'

import type { TaskRow } from '#protocol/task.ts'
import { age, dateTime, duration } from '../lib/format.ts'
import { useNow } from '../lib/use-now.ts'
import { useMessages } from '../messages/use-messages.ts'

/** How long ago, ticking; the exact time on hover. */
export function Age({ at }: { at: string | null }) {
  const text = useMessages().common
  const now = useNow()
  if (!at) return <>–</>
  return (
    <time dateTime={at} title={dateTime(new Date(at))} className="nums">
      {now ? age(now - Date.parse(at), text.now) : ''}
    </time>
  )
}

/** How long a task took, or has been running; ticking while it runs. */
export function Elapsed({
  task,
}: {
  task: Pick<TaskRow, 'startedAt' | 'finishedAt' | 'durationMs' | 'status'>
}) {
  const now = useNow()
  const ms = elapsed(task, now)
  return <span className="nums">{ms === undefined ? '–' : duration(ms)}</span>
}

function elapsed(task: Pick<TaskRow, 'startedAt' | 'finishedAt' | 'durationMs' | 'status'>, now: number) {
  if (task.durationMs !== null) return task.durationMs
  if (!task.startedAt) return undefined
  if (task.finishedAt) return Date.parse(task.finishedAt) - Date.parse(task.startedAt)
  return task.status === 'PROCESSING' && now ? Math.max(0, now - Date.parse(task.startedAt)) : undefined
}
