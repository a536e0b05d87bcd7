import {
  IconArchive,
  IconBan,
  IconCircleCheck,
  IconCircleX,
  IconClockPause,
  IconKeyboard,
  IconPlayerPlay,
  IconProgress,
} from '@tabler/icons-react'
import { useMessages } from '../messages/use-messages.ts'
import classes from './status-badge.module.css'

const ICONS = {
  PENDING: IconClockPause,
  PROCESSING: IconProgress,
  COMPLETED: IconCircleCheck,
  FAILED: IconCircleX,
  CANCELLED: IconBan,
  ACTIVE: IconPlayerPlay,
  ARCHIVED: IconArchive,
  /** Runs, and waits for somebody to type. */
  WAITING: IconKeyboard,
} as const
type Status = keyof typeof ICONS

/** A status by icon and word, so that colour is not needed to tell it. */
export function StatusBadge({ status }: { status: Status }) {
  const text = useMessages().status
  const Icon = ICONS[status]
  return (
    <span className={classes.badge} data-status={status} data-testid="status">
      <Icon size={15} stroke={2} aria-hidden />
      {text[status]}
    </span>
  )
}
