'use client'

import { Group } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArchive, IconFlag, IconPlayerPlay, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import type { SessionView } from '#protocol/session.ts'
import { del, patch, segment } from '../../lib/api.ts'
import { count } from '../../lib/format.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Confirmed } from '../confirmed.tsx'
import { EditSession } from './session-dialogs.tsx'

type Change = 'complete' | 'archive' | 'activate'

/** What can become of a session in each status. */
const CHANGES: Record<SessionView['status'], readonly Change[]> = {
  ACTIVE: ['complete', 'archive'],
  COMPLETED: ['activate', 'archive'],
  ARCHIVED: ['activate'],
}
const BECOMES = { complete: 'COMPLETED', archive: 'ARCHIVED', activate: 'ACTIVE' } as const
const ICONS = { complete: IconFlag, archive: IconArchive, activate: IconPlayerPlay }

/** Edit, complete, archive or bring back, and, for an admin, delete with everything in it. */
export function SessionActions({ session }: { session: SessionView }) {
  const text = useMessages().sessions
  const client = useQueryClient()
  const router = useRouter()
  const { operate, admin } = useRights()
  const path = `/sessions/${segment(session.id)}`
  const refresh = () => void client.invalidateQueries({ queryKey: keys.sessionLists })
  const become = (status: SessionView['status']) => async () => {
    client.setQueryData(keys.session(session.id), await patch<SessionView>(path, { status }))
    refresh()
  }
  const remove = async () => {
    await del(path)
    refresh()
    notifications.show({ message: text.deleted(session.name) })
    router.push('/sessions')
  }
  const running = session.taskCounts.PROCESSING > 0
  const tasks = Object.values(session.taskCounts).reduce((sum, n) => sum + n, 0)
  return (
    <Group gap={6} ml="auto">
      {operate && <EditSession session={session} />}
      {operate &&
        CHANGES[session.status].map(change => {
          const Icon = ICONS[change]
          return (
            <Confirmed
              key={change}
              label={text.changes[change].label}
              icon={<Icon size={14} aria-hidden />}
              title={text.changes[change].title}
              explanation={text.changes[change].text(session.taskCounts)}
              confirm={text.changes[change].confirm}
              run={become(BECOMES[change])}
            />
          )
        })}
      {admin && !running && (
        <Confirmed
          label={text.remove}
          icon={<IconTrash size={14} aria-hidden />}
          iconOnly
          title={text.removeTitle}
          explanation={text.removeText(count(tasks))}
          confirm={text.removeConfirm}
          danger
          run={remove}
        />
      )}
    </Group>
  )
}
