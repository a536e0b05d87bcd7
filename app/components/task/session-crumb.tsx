import { Anchor } from '@mantine/core'
import Link from 'next/link'
import { useSession } from '../../lib/queries.ts'
import classes from './task.module.css'

/** The part of the path above a task that names its session. */
export function SessionCrumb({ sessionId }: { sessionId: string }) {
  const name = useSession(sessionId).data?.name ?? sessionId
  return (
    <>
      <Anchor
        component={Link}
        href={`/sessions/${encodeURIComponent(sessionId)}`}
        className={`${classes.crumb} ${classes.session}`}
        title={name}
      >
        {name}
      </Anchor>
      <span aria-hidden className="soft">
        {' / '}
      </span>
    </>
  )
}
