import { Timeline } from '@mantine/core'
import { type StatusChange, type TaskView, TERMINAL_STATUSES } from '#protocol/task.ts'
import { agentInWords } from '../../lib/agent-name.ts'
import { plainText } from '../../lib/ansi.ts'
import { dateTime, duration } from '../../lib/format.ts'
import { type Messages, useMessages } from '../../messages/use-messages.ts'
import { StatusBadge } from '../status-badge.tsx'

/** What happened to a task, who did it and why, attempt by attempt. */
export function History({ task }: { task: TaskView }) {
  const text = useMessages()
  const changes = task.statusHistory
  const attempts = attemptsOf(task)
  return (
    <Timeline bulletSize={12} lineWidth={2}>
      {changes.map((change, at) => {
        const before = changes[at - 1]
        const after = before && Date.parse(change.at) - Date.parse(before.at)
        return (
          <Timeline.Item key={`${change.at} ${change.status}`} title={<StatusBadge status={change.status} />}>
            <div style={{ fontSize: 13 }}>
              {sentence(change, before, text)}
              {change.status === 'PROCESSING' && (attempts[at] ?? 1) > 1 && (
                <span> · {text.task.attempt(attempts[at] ?? 1, task.maxAttempts)}</span>
              )}
            </div>
            {change.message && <div style={{ fontSize: 13 }}>{plainText(change.message)}</div>}
            <div className="soft" style={{ fontSize: 12.5 }}>
              {dateTime(new Date(change.at))}
              {after !== undefined && ` · ${text.history.after(duration(after))}`}
            </div>
          </Timeline.Item>
        )
      })}
    </Timeline>
  )
}

/** The attempt to which each change belongs; counted from the last, since the oldest changes may be forgotten. */
function attemptsOf(task: TaskView): number[] {
  let attempt = task.attempt
  const attempts: number[] = []
  for (let at = task.statusHistory.length - 1; at >= 0; at--) {
    attempts[at] = attempt
    if (isAgain(task.statusHistory[at], task.statusHistory[at - 1])) attempt--
  }
  return attempts
}

/** Whether a change begins another attempt. */
const isAgain = (change: StatusChange | undefined, before: StatusChange | undefined): boolean =>
  change?.status === 'PENDING' && before !== undefined && TERMINAL_STATUSES.includes(before.status)

function sentence(change: StatusChange, before: StatusChange | undefined, text: Messages): string {
  const words = text.history
  const by = whoIs(change.by, text)
  if (change.status === 'PENDING')
    return !before ? words.created(by) : isAgain(change, before) ? words.again(by) : words.givenBack(by)
  if (change.status === 'PROCESSING' && before && TERMINAL_STATUSES.includes(before.status))
    return words.cameBack(by)
  return words[change.status](by)
}

function whoIs(by: string, text: Messages): string {
  if (by === 'server') return text.history.server
  return by.startsWith('agent:') ? agentInWords(by.slice('agent:'.length), text.agent) : by
}
