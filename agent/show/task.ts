import { observedAttempts, observedIn } from '#protocol/observed.ts'
import type { TaskRow, TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { details, type Paint, table } from '../table.ts'
import { count } from './text.ts'
import { age, ago, duration } from './when.ts'

const STATUS_COLOURS: Record<string, number> = {
  PROCESSING: 36,
  COMPLETED: 32,
  FAILED: 31,
  CANCELLED: 33,
  ACTIVE: 36,
  ARCHIVED: 2,
}

/** Tasks as a table. */
export function taskTable(context: Context, tasks: TaskRow[], now: number): string {
  const rows = tasks.map(task => ({
    id: task.id,
    status: task.waitingForInput ? 'WAITING' : task.status,
    progress: `${task.progress}%`,
    errors: String(task.logs.byLevel.ERROR + task.logs.byLevel.CRITICAL),
    lines: String(task.logs.total),
    age: age(now - Date.parse(task.createdAt)),
    name: task.name,
  }))
  const width = process.stdout.columns
  // A terminal's room is for names; a pipe has the same columns always.
  const said = (column: 'progress' | 'errors', nothing: string[]) =>
    width === undefined || rows.some(row => !nothing.includes(row[column])) ? [column] : []
  const columns = [
    'id',
    'status',
    ...said('progress', ['0%', '100%']),
    ...said('errors', ['0']),
    'lines',
    'age',
    'name',
  ]
  return table(rows, columns, width, paintStatus(context), ['lines', 'progress', 'errors', 'age'])
}

/**
 * Everything that a person asks of one task.
 * @param fixes tasks that are to mend it
 */
export function taskDetails(context: Context, task: TaskView, now: number, fixes: TaskRow[] = []): string {
  const { waitingForInput: waiting, logs, timeoutSeconds, resources, maxAttempts } = task
  const errors = logs.byLevel.ERROR + logs.byLevel.CRITICAL
  const earlier = observedAttempts(task).filter(attempt => attempt !== task.attempt)
  const fields: Parameters<typeof fieldRows>[0] = {
    id: task.id,
    name: task.name,
    status: task.status,
    session: task.sessionId,
    'waits for': waiting && `${waiting.secret ? 'a secret' : 'input'}: ${waiting.prompt || '(no prompt)'}`,
    answer: waiting && `keruta input ${task.id}${waiting.secret ? ' --secret' : ''}`,
    progress: task.progressMessage ? `${task.progress}% ${task.progressMessage}` : `${task.progress}%`,
    message: task.message,
    error: task.errorCode,
    'exit code': task.exitCode?.toString(),
    signal: task.signal,
    agent: task.agentId,
    attempt: maxAttempts > 1 && `${task.attempt} of ${maxAttempts}`,
    priority: task.priority !== 0 && String(task.priority),
    timeout: timeoutSeconds !== null && duration(timeoutSeconds * 1000),
    mends: task.autoFixChain.length > 0 && task.autoFixChain.join(' → '),
    'mended by': fixes.map(({ id, status }) => `${id} ${status}`).join(', '),
    created: ago(task.createdAt, now),
    started: task.startedAt && ago(task.startedAt, now),
    finished: task.finishedAt && ago(task.finishedAt, now),
    took: task.durationMs !== null && duration(task.durationMs),
    memory: resources?.maxRssBytes && `${Math.round(resources.maxRssBytes / 1024 ** 2)} MB at most`,
    observed: earlier.length > 0 && `steps and metrics of attempt ${earlier.join(', ')}, too: --json`,
    lines: `${logs.total}${errors > 0 ? `, ${count(errors, 'error')}` : ''}`,
    log: task.logState.detail,
  }
  const observed = observedIn(task)
  const steps = observed.steps.map(({ name, status, durationMs }) => ({
    field: 'step',
    value: `${name} ${status}${durationMs === null ? '' : ` in ${duration(durationMs)}`}`,
  }))
  const metrics = Object.entries(Object.fromEntries(observed.metrics.map(({ name, value }) => [name, value])))
  const history = task.statusHistory.map(({ at, status, by, message }) => ({
    field: at,
    value: [status, `by ${by}`, message].filter(Boolean).join(' '),
  }))
  const rows = [
    ...fieldRows(fields),
    ...steps,
    ...metrics.map(([name, value]) => ({ field: 'metric', value: `${name} = ${value}` })),
    ...history,
  ]
  return details(rows, process.stdout.columns, paintStatus(context))
}

/** Those that have a value. */
export function fieldRows(fields: Record<string, string | null | undefined | false | 0>) {
  return Object.entries(fields).flatMap(([field, value]) => (value ? [{ field, value }] : []))
}

/** Colours words that are a status, where colours are wanted. */
export function paintStatus({ config }: Context): Paint {
  if (!(config.colour ?? process.stdout.isTTY)) return (_column, _value, cell) => cell
  return (column, value, cell) => {
    if (column !== 'status' && column !== 'value') return cell
    const code = value === 'WAITING' ? 35 : STATUS_COLOURS[value]
    return code === undefined ? cell : `\u001b[${code}m${cell}\u001b[0m`
  }
}
