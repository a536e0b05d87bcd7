import type { Command } from 'commander'
import type { Page } from '#protocol/page.ts'
import type { TaskRow, TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { usageError } from '../exit.ts'
import { numberFlag } from '../flags.ts'
import { collect, pairs } from '../pairs.ts'
import { readText } from '../read-text.ts'
import { confirmed } from '../show/confirm.ts'
import { showPage } from '../show/pages.ts'
import { taskDetails, taskTable } from '../show/task.ts'
import { count } from '../show/text.ts'
import { type Bind, orList, subcommand } from '../subcommands.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, bind: Bind): void {
  listOptions(command).addHelpText(
    'after',
    `
Examples:
  $ keruta tasks
  $ keruta tasks list --status PROCESSING,FAILED --json
  $ keruta tasks create --name nightly --script ./nightly.sh --session-id session-1
  $ keruta tasks cancel task123 --message "wrong branch"`,
  )
  orList(command, bind, list)
  const add = (name: string, summary: string, examples: string[]) =>
    subcommand(command, name, summary, examples)
  const change = (name: string, summary: string, example: string) =>
    add(name, summary, [`keruta tasks ${name} task123`, example])
      .argument('[task-id]', 'the task; default: --task-id')
      .option('--message <text>', 'why; kept in its history')

  const listing = add('list', 'tasks, the newest first', [
    'keruta tasks list --status FAILED',
    'keruta tasks list --search nightly --session-id session-1',
    'keruta tasks list --json',
  ])
  bind(list, listOptions(listing))
  const showing = add('show', 'everything about a task', ['keruta tasks show task123'])
  bind(show, showing.argument('[task-id]', 'the task; default: --task-id'))
  const creating = add('create', 'a task for the agents of its session', [
    'keruta tasks create --name nightly --script ./nightly.sh --session-id session-1',
    'keruta tasks create --command "make test" --env STAGE=ci --priority 5 --max-attempts 3 --timeout 30m',
    'cat job.sh | keruta tasks create --script -',
  ])
  bind(create, createOptions(creating))
  bind(
    (...called) => act('cancel', ...called),
    change(
      'cancel',
      'stop a task, or take it from the queue',
      'keruta tasks cancel task123 --message "wrong branch"',
    ),
  )
  bind(
    (...called) => act('retry', ...called),
    change(
      'retry',
      'run a FAILED or CANCELLED task again',
      'keruta tasks retry task123 --message "the network is back"',
    ),
  )
  const removing = add('delete', 'remove a task and its log for good; not while it runs', [
    'keruta tasks delete task123',
    'keruta tasks delete task123 --yes',
  ])
  bind(
    remove,
    removing.argument('[task-id]', 'the task; default: --task-id').option('-y, --yes', 'without asking'),
  )
}

function listOptions(command: Command): Command {
  return command
    .option('--status <list>', 'PENDING, PROCESSING, COMPLETED, FAILED, CANCELLED')
    .option('--waiting', 'only those whose script waits for input')
    .option('--search <text>', 'part of the name or id')
    .option('--page <n>', 'from 0')
    .option('--size <n>', 'tasks a page', '50')
}

function createOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what it is called')
    .option('--script <path>', 'a file with its script; - for stdin')
    .option('--command <line>', 'a command line as its script')
    .option('--env <name=value>', 'a variable of its script; may be repeated', collect, [])
    .option('--priority <n>', 'higher runs first')
    .option('--max-attempts <n>', 'how often it may run')
    .option('--timeout <duration>', 'how long a run may take, such as 30m')
}

type Options = Record<string, unknown>

function list(context: Context, { status, waiting, search, page, size }: Options): Promise<number> {
  const { sessionId } = context.config
  const where = sessionId ? ` in session ${sessionId}` : ''
  return showPage<TaskRow>(context, {
    path: '/tasks',
    query: { status, waiting: waiting && 'true', search, page, size, sessionId },
    noun: 'task',
    table: (tasks, now) => taskTable(context, tasks, now),
    empty:
      status || waiting || search
        ? `no task${where} is like that`
        : `there are no tasks${where} yet; keruta tasks create --command "echo hello" makes one`,
  })
}

async function show(context: Context, _options: Options, id?: string): Promise<number> {
  const api = await context.api()
  const task = await api.get<TaskView>(taskPath(context.config, id))
  if (context.config.json || task.status !== 'FAILED') return print(context, task)
  const fixes = await api.get<Page<TaskRow>>(`/tasks?autoFixOf=${encodeURIComponent(task.id)}`)
  context.print(taskDetails(context, task, Date.now(), fixes.content))
  return 0
}

async function create(context: Context, options: Options): Promise<number> {
  if (options.script !== undefined && options.command !== undefined)
    throw usageError('--script and --command are two scripts: give one of them')
  const api = await context.api()
  const script =
    options.script === undefined
      ? options.command
      : readText(String(options.script), 'script', 'a command line goes with --command')
  const env = pairs('--env', options.env as string[])
  const timeoutMs = numberFlag('duration', '--timeout', options.timeout)
  const task = await api.post<TaskView>('/tasks', {
    // Not KERUTA_TASK_ID: within a script that is the task that makes another one.
    id: options.taskId,
    sessionId: context.config.sessionId,
    name: options.name,
    script,
    env,
    priority: integer('--priority', options.priority),
    maxAttempts: integer('--max-attempts', options.maxAttempts),
    timeoutSeconds: timeoutMs === undefined ? undefined : timeoutMs / 1000,
  })
  return print(context, task)
}

async function act(
  verb: 'cancel' | 'retry',
  context: Context,
  options: Options,
  id?: string,
): Promise<number> {
  const api = await context.api()
  const path = taskPath(context.config, id)
  return print(context, await api.post<TaskView>(`${path}/${verb}`, { message: options.message }))
}

async function remove(context: Context, options: Options, id?: string): Promise<number> {
  const api = await context.api()
  const path = taskPath(context.config, id)
  const task = await api.get<TaskView>(path)
  const what = `task ${task.id} (${task.status}) and its ${count(task.logs.total, 'line')}`
  if (!options.yes && !(await confirmed(`delete ${what} for good?`))) {
    context.say('nothing was deleted')
    return 1
  }
  await api.call('DELETE', path, {})
  if (context.config.json) context.print(JSON.stringify({ id: task.id, deleted: true }))
  else context.say(`deleted ${what}`)
  return 0
}

function print(context: Context, task: TaskView): number {
  context.print(context.config.json ? JSON.stringify(task, null, 2) : taskDetails(context, task, Date.now()))
  return 0
}

function integer(flag: string, text: unknown): number | undefined {
  if (text === undefined) return undefined
  if (/^-?\d{1,7}$/.test(String(text))) return Number(text)
  throw usageError(`${flag}: "${String(text).slice(0, 40)}" must be a whole number`)
}
