'use client'

import { Title } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import Link from 'next/link'
import { Fragment } from 'react'
import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { useAutoFixChain } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { StatusBadge } from '../status-badge.tsx'
import classes from './task.module.css'

/** A failure, the task that is to mend it, and what mends that; nothing where there is no such task. */
export function AutoFixChain({ task, compact }: { task: TaskRow; compact?: boolean }) {
  const text = useMessages().autoFix
  const chain = useAutoFixChain(task).data?.content ?? []
  if (chain.length < 2) return null
  const list = (
    <ol className={classes.chain} aria-label={text.chain} data-testid="auto-fix-chain">
      {chain.map((one, at) => (
        <Fragment key={one.id}>
          {at > 0 && <IconArrowRight size={14} className="soft" aria-hidden />}
          <li>
            <StatusBadge status={one.status} />
            {one.id === task.id ? (
              <strong aria-current="page">{plainText(one.name)}</strong>
            ) : (
              <Link href={`/tasks/${encodeURIComponent(one.id)}`}>{plainText(one.name)}</Link>
            )}
          </li>
        </Fragment>
      ))}
    </ol>
  )
  if (compact) return list
  return (
    <section>
      <Title order={2} size="h5" mb="xs">
        {text.chain}
      </Title>
      {list}
    </section>
  )
}
