import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Page } from '#protocol/page.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { usageError } from '../exit.ts'
import { table } from '../table.ts'
import { taskPath } from '../task-id.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('[action]', 'list, show, create, cancel or retry', 'list')
    .argument('[id]', 'the task, for show, cancel and retry')
    .option('--status <list>', 'list: PENDING, PROCESSING, COMPLETED, FAILED, CANCELLED')
    .option('--search <text>', 'list: part of the name or id')
    .option('--page <n>', 'list: from 0')
    .option('--size <n>', 'list: tasks a page', '50')
    .option('--name <name>', 'create: its name')
    .option('--script <path>', 'create: a file with its script')
    .option('--command <line>', 'create: a command line as its script')
    .option('--priority <n>', 'create: higher runs first')
    .option('--max-attempts <n>', 'create: how often it may run')
    .option('--message <text>', 'cancel, retry: why')
    .addHelpText(
      'after',
      `
Examples:
  $ keruta tasks
  $ keruta tasks list --status PROCESSING,FAILED --json
  $ keruta tasks show task123
  $ keruta tasks create --name nightly --script ./nightly.sh --session-id session-1
  $ keruta tasks cancel task123 --message "wrong branch"
  $ keruta tasks retry task123`,
    )
  action(async (context, options, verb = 'list', id) => {
    const act = ACTIONS[verb]
    if (act) return act(context, options, id)
    throw usageError(`tasks ${verb} is unknown: ${Object.keys(ACTIONS).join(', ')}`)
  })
}

type Action = (context: Context, options: Record<string, unknown>, id: string | undefined) => Promise<number>

const ACTIONS: Record<string, Action> = {
  async list(context, { status, search, page, size }) {
    const { sessionId } = context.config
    const given = Object.entries({ status, search, page, size, sessionId }).filter(
      ([, value]) => value !== undefined,
    )
    const api = await context.api()
    const found = await api.get<Page<TaskView>>(`/tasks?${new URLSearchParams(given as [string, string][])}`)
    if (context.config.json) context.print(JSON.stringify(found, null, 2))
    else if (found.content.length === 0) context.print('no tasks')
    else {
      context.print(
        table(
          found.content.map(row),
          ['id', 'status', 'progress', 'errors', 'lines', 'age', 'name'],
          process.stdout.columns,
        ),
      )
      const more = found.totalElements - found.content.length
      if (more > 0) context.say(`${more} more: --page ${found.page + 1}`)
    }
    return 0
  },
  async show(context, _options, id) {
    const api = await context.api()
    return print(context, await api.get<TaskView>(taskPath(context.config, id)))
  },
  async create(context, options) {
    const api = await context.api()
    const script = options.script === undefined ? options.command : readScript(String(options.script))
    const numbers = { priority: number(options.priority), maxAttempts: number(options.maxAttempts) }
    const { taskId, sessionId } = context.config
    return print(
      context,
      await api.post<TaskView>('/tasks', { id: taskId, sessionId, name: options.name, script, ...numbers }),
    )
  },
  async cancel(context, options, id) {
    const api = await context.api()
    return print(
      context,
      await api.post<TaskView>(`${taskPath(context.config, id)}/cancel`, { message: options.message }),
    )
  },
  async retry(context, options, id) {
    const api = await context.api()
    return print(
      context,
      await api.post<TaskView>(`${taskPath(context.config, id)}/retry`, { message: options.message }),
    )
  },
}

function print(context: Context, task: TaskView): number {
  if (context.config.json) context.print(JSON.stringify(task, null, 2))
  else {
    const { statusHistory, logs, logState, script: _, env: __, resources: ___, ...fields } = task
    const rows = Object.entries({ ...fields, lines: logs.total, log: logState.detail })
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([field, value]) => ({ field, value: String(value) }))
    const history = statusHistory.map(({ at, status, by, message }) => ({
      field: at,
      value: [status, `by ${by}`, message].filter(Boolean).join(' '),
    }))
    context.print(table([...rows, ...history], ['field', 'value'], process.stdout.columns))
  }
  return 0
}

function row(task: TaskView): Record<string, string> {
  const { ERROR, CRITICAL } = task.logs.byLevel
  return {
    id: task.id,
    status: task.status,
    progress: `${task.progress}%`,
    errors: String(ERROR + CRITICAL),
    lines: String(task.logs.total),
    age: age(Date.now() - Date.parse(task.createdAt)),
    name: task.name,
  }
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`
}

function number(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value)
}

function readScript(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw usageError(
      `the script ${path} cannot be read: ${code === 'ENOENT' ? 'no such file or directory' : message}`,
    )
  }
}
