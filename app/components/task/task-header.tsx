import { Anchor, Button } from '@mantine/core'
import { IconAlertTriangle, IconChecks, IconDownload, IconKeyboard } from '@tabler/icons-react'
import Link from 'next/link'
import type { TaskView } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { useRights, useSession } from '../../lib/queries.ts'
import { isUnserved } from '../../lib/serving.ts'
import { useNow } from '../../lib/use-now.ts'
import { isWaiting } from '../../lib/waiting-tasks.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { StatusBadge } from '../status-badge.tsx'
import { ProgressBar } from '../tasks/progress-bar.tsx'
import { Age, Elapsed } from '../time.tsx'
import { AutoFixChain } from './auto-fix-chain.tsx'
import { SessionCrumb } from './session-crumb.tsx'
import classes from './task.module.css'
import { TaskActions } from './task-actions.tsx'
import { PanelButtons, TaskPanel } from './task-panel.tsx'

interface TaskHeaderProps {
  task: TaskView
  deleted: boolean
  /** Somebody wants to type something to the script. */
  onInput(): void
}

/** What a task is and how it stands, in two lines. */
export function TaskHeader({ task, deleted, onInput }: TaskHeaderProps) {
  const { task: text, input } = useMessages()
  const { operate } = useRights()
  // A run that is known to wait shows its field by itself.
  const canSendInput = operate && task.status === 'PROCESSING' && task.interactive && !task.waitingForInput
  const failure = [
    task.errorCode,
    task.exitCode !== null &&
      task.status === 'FAILED' &&
      task.errorCode !== `EXIT_${task.exitCode}` &&
      text.exitCode(task.exitCode),
    task.signal && text.signal(task.signal),
  ].filter(Boolean)
  return (
    <header className={classes.header}>
      <div className={classes.first}>
        <TaskTitle name={plainText(task.name)} sessionId={task.sessionId} />
        {task.name !== task.id && (
          <span className={classes.id} title={task.id}>
            {task.id}
          </span>
        )}
        {!deleted && <TaskActions task={task} />}
      </div>
      <div className={classes.second}>
        <StatusBadge status={isWaiting(task) ? 'WAITING' : task.status} />
        <Times task={task} />
        {task.status === 'PENDING' && task.sessionId !== null && <Unserved sessionId={task.sessionId} />}
        {(task.attempt > 1 || task.maxAttempts > 1) && (
          <span>{text.attempt(task.attempt, task.maxAttempts)}</span>
        )}
        <ProgressBar task={task} wide />
        {failure.length > 0 && <strong className={classes.failure}>{failure.join(' · ')}</strong>}
        {task.message && <span className={classes.message}>{plainText(task.message)}</span>}
        {!operate && isWaiting(task) && task.waitingForInput?.prompt && (
          <span className={`${classes.message} mono`}>{plainText(task.waitingForInput.prompt)}</span>
        )}
        <LogCompleteness task={task} />
        <PanelButtons task={task} />
        {canSendInput && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconKeyboard size={13} aria-hidden />}
            onClick={onInput}
          >
            {input.sendInput}
          </Button>
        )}
      </div>
      <AutoFixChain task={task} compact />
      <TaskPanel task={task} />
    </header>
  )
}

export function UnknownTaskHeader({ taskId, waiting }: { taskId: string; waiting: boolean }) {
  const text = useMessages().task
  return (
    <header className={classes.header}>
      <div className={classes.first}>
        <TaskTitle name={taskId} sessionId={null} />
      </div>
      <div className={classes.second} role="status">
        {waiting && (
          <span data-testid="task-unknown">
            <strong>{text.waitingTitle}.</strong> {text.waitingText}
          </span>
        )}
      </div>
    </header>
  )
}

function TaskTitle({ name, sessionId }: { name: string; sessionId: string | null }) {
  const text = useMessages().task
  return (
    <h1 className={classes.title} title={name}>
      <Anchor component={Link} href="/tasks" className={classes.crumb}>
        {text.crumbs}
      </Anchor>
      <span aria-hidden className="soft">
        {' / '}
      </span>
      {sessionId && <SessionCrumb sessionId={sessionId} />}
      {name}
    </h1>
  )
}

/** Why a task may wait for ever. */
function Unserved({ sessionId }: { sessionId: string }) {
  const text = useMessages().task
  const now = useNow()
  const session = useSession(sessionId).data
  if (session?.status !== 'ACTIVE' || !now || !isUnserved(session.serving, now)) return null
  return (
    <Anchor
      component={Link}
      href={`/sessions/${encodeURIComponent(sessionId)}`}
      fz="inherit"
      data-testid="unserved"
    >
      {text.unserved}
    </Anchor>
  )
}

function Times({ task }: { task: TaskView }) {
  const text = useMessages().task
  if (!task.startedAt) {
    return (
      <span>
        {text.waitsSince} <Age at={task.statusHistory.at(-1)?.at ?? task.createdAt} />
      </span>
    )
  }
  return (
    <span data-testid="task-duration">
      {task.status === 'PROCESSING' ? text.running : text.took} <Elapsed task={task} />
    </span>
  )
}

const COMPLETENESS = {
  complete: { icon: IconChecks, text: 'logComplete' },
  arriving: { icon: IconDownload, text: 'logArriving' },
  incomplete: { icon: IconAlertTriangle, text: 'logIncomplete' },
} as const

/** Never claims more than the server knows: its own words are a hover away. */
function LogCompleteness({ task }: { task: TaskView }) {
  const text = useMessages().task
  const { state, missing, detail } = task.logState
  const { icon: Icon, text: name } = COMPLETENESS[state]
  return (
    <span className={classes.logState} data-state={state} title={detail} data-testid="log-state">
      <Icon size={14} aria-hidden />
      {text[name]}
      {missing ? ` (${text.missing(missing)})` : ''}
    </span>
  )
}
