import type { TaskRow } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './progress-bar.module.css'

/** A task's own account of how far it is, with its words. */
export function ProgressBar({
  task,
  wide,
}: {
  task: Pick<TaskRow, 'progress' | 'progressMessage' | 'status'>
  wide?: boolean
}) {
  const text = useMessages().task
  if (task.progress <= 0 && !task.progressMessage) return null
  const percent = Math.round(task.progress)
  return (
    <div className={classes.progress} data-wide={wide || undefined}>
      <div
        className={classes.track}
        role="progressbar"
        aria-label={text.progress}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div className={classes.fill} data-status={task.status} style={{ width: `${percent}%` }} />
      </div>
      <span className={classes.percent}>{percent}%</span>
      {task.progressMessage && (
        <span className={classes.message} title={task.progressMessage}>
          {plainText(task.progressMessage)}
        </span>
      )}
    </div>
  )
}
