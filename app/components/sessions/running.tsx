import Link from 'next/link'
import type { TaskRow } from '#protocol/task.ts'
import { agentInWords } from '../../lib/agent-name.ts'
import { plainText } from '../../lib/ansi.ts'
import { isWaiting } from '../../lib/waiting-tasks.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { StatusBadge } from '../status-badge.tsx'
import { TaskActions } from '../task/task-actions.tsx'
import { ProgressBar } from '../tasks/progress-bar.tsx'
import bar from '../tasks/tasks-screen.module.css'
import { Elapsed } from '../time.tsx'
import classes from './queue.module.css'

/** Tasks that an agent has now, with how far they are. */
export function Running({ tasks }: { tasks: readonly TaskRow[] }) {
  const text = useMessages()
  return (
    <section aria-label={text.sessions.running}>
      <div className={bar.bar}>
        <h2>{text.sessions.running}</h2>
      </div>
      <ul className={classes.list}>
        {tasks.map(task => (
          <li key={task.id} className={classes.running} data-testid="running-row">
            <StatusBadge status={isWaiting(task) ? 'WAITING' : 'PROCESSING'} />
            <Link href={`/tasks/${encodeURIComponent(task.id)}`} prefetch={false} className={classes.name}>
              {plainText(task.name)}
            </Link>
            <span className="nums">
              {text.task.running} <Elapsed task={task} />
            </span>
            {task.maxAttempts > 1 && <span>{text.task.attempt(task.attempt, task.maxAttempts)}</span>}
            <ProgressBar task={task} wide />
            {task.waitingForInput?.prompt && (
              <span className={`${classes.prompt} mono`}>{plainText(task.waitingForInput.prompt)}</span>
            )}
            {task.agentId && (
              <span className={classes.agent} title={agentInWords(task.agentId, text.agent)}>
                {agentInWords(task.agentId, text.agent)}
              </span>
            )}
            <TaskActions task={task} inList />
          </li>
        ))}
      </ul>
    </section>
  )
}
