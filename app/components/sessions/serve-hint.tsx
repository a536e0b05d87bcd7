'use client'

import { useEffect, useState } from 'react'
import type { SessionView } from '#protocol/session.ts'
import type { TaskRow } from '#protocol/task.ts'
import { useMe } from '../../lib/queries.ts'
import { isUnserved } from '../../lib/serving.ts'
import { useNow } from '../../lib/use-now.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Command } from '../states.tsx'
import { Age } from '../time.tsx'
import classes from './queue.module.css'

interface ServeHintProps {
  session: SessionView
  queue: readonly TaskRow[]
  running: number
}

/** Tasks wait and nothing runs: why that may be, and what to do. */
export function ServeHint({ session, queue, running }: ServeHintProps) {
  const text = useMessages().sessions
  const me = useMe()
  const now = useNow()
  const [origin, setOrigin] = useState('')
  useEffect(() => setOrigin(location.origin), [])
  if (running > 0 || queue.length === 0) return null
  if (session.status !== 'ACTIVE')
    return (
      <div className={classes.hint} role="note">
        {text.notServed}
      </div>
    )
  if (!now || !isUnserved(session.serving, now)) return null
  const { lastSeenAt } = session.serving
  const key = me.data?.authRequired ? 'KERUTA_API_KEY=… ' : ''
  return (
    <div className={classes.hint} role="note" data-testid="serve-hint">
      <span>
        <strong>{text.nobodyServes}</strong>{' '}
        {lastSeenAt && (
          <>
            {text.lastServed} <Age at={lastSeenAt} />.{' '}
          </>
        )}
        {text.serveText}
      </span>
      <Command text={`${key}npx keruta daemon --session-id ${session.id} --api-url ${origin}`} />
    </div>
  )
}
