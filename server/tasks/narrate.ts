import type { Level } from '#protocol/log.ts'
import type { StatusChange } from '#protocol/task.ts'
import type { TaskChange } from './changes.ts'
import { AGENT_LOST, SERVER } from './transitions.ts'

/** What a reader of the task's log should find there of a change that nobody reading it would expect: what the server did. Pure. */
export function narrate({ task, before }: TaskChange): { level: Level; message: string } | undefined {
  if (!before || task.statusHistory === before.statusHistory) return undefined
  const last = before.statusHistory.at(-1)
  const entries = task.statusHistory.slice(last ? task.statusHistory.lastIndexOf(last) + 1 : 0)
  const cameBack = before.errorCode === AGENT_LOST && before.status === 'FAILED' && task.status !== 'PENDING'
  if (cameBack) return { level: 'WARN', message: `the agent that was lost is there again (${task.status})` }
  const told = entries.filter(({ by }) => by === SERVER)
  const failed = told.some(({ status }) => status === 'FAILED')
  return told.length === 0
    ? undefined
    : { level: failed ? 'ERROR' : 'WARN', message: told.map(textOf).join('; ') }
}

function textOf({ status, message }: StatusChange): string {
  return message ? `${message} (${status})` : status
}
