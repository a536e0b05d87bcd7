import type { SessionView } from '#protocol/session.ts'
import type { Context } from '../context.ts'
import { details, table } from '../table.ts'
import { fieldRows, paintStatus } from './task.ts'
import { count } from './text.ts'
import { age, ago } from './when.ts'

/** Sessions as a table. */
export function sessionTable(context: Context, sessions: SessionView[], now: number): string {
  const rows = sessions.map(session => ({
    id: session.id,
    status: session.status,
    waiting: String(session.taskCounts.PENDING),
    running: String(session.taskCounts.PROCESSING),
    failed: String(session.taskCounts.FAILED),
    age: age(now - Date.parse(session.createdAt)),
    name: session.name,
  }))
  const columns = ['id', 'status', 'waiting', 'running', 'failed', 'age', 'name']
  const spare = ['waiting', 'running', 'failed', 'age']
  return table(rows, columns, process.stdout.columns, paintStatus(context), spare)
}

/** Who waits for its tasks. */
function servedBy({ serving, status }: SessionView, now: number): string | false {
  if (serving.daemons > 0) return count(serving.daemons, 'daemon')
  if (status !== 'ACTIVE') return false
  return serving.lastSeenAt ? `nobody; an agent was seen ${ago(serving.lastSeenAt, now)}` : 'nobody'
}

/** Everything that a person asks of one session. */
export function sessionDetails(context: Context, session: SessionView, now: number): string {
  const { template, taskCounts } = session
  const repository = template?.repository
  const tasks = Object.entries(taskCounts).filter(([, number]) => number > 0)
  const rows = fieldRows({
    id: session.id,
    name: session.name,
    status: session.status,
    description: session.description,
    workspace: session.workspaceId,
    tags: session.tags.join(', '),
    repository: repository && [repository.url, repository.ref].filter(Boolean).join(' at '),
    variables: Object.keys(template?.env ?? {}).join(', '),
    setup: template?.setupScript && count(template.setupScript.trimEnd().split('\n').length, 'line'),
    'auto-fix': template?.autoFixCommand,
    'served by': servedBy(session, now),
    tasks: tasks.map(([status, number]) => `${number} ${status}`).join(', ') || 'none',
    created: ago(session.createdAt, now),
    changed: session.updatedAt !== session.createdAt && ago(session.updatedAt, now),
  })
  return details(rows, process.stdout.columns, paintStatus(context))
}
