import type { Command } from 'commander'
import type { SessionView } from '#protocol/session.ts'
import type { Context } from '../context.ts'
import { usageError } from '../exit.ts'
import { collect, pairs } from '../pairs.ts'
import { readText } from '../read-text.ts'
import { showPage } from '../show/pages.ts'
import { sessionDetails, sessionTable } from '../show/session.ts'
import { type Bind, orList, subcommand } from '../subcommands.ts'
import { sessionPath } from '../target-path.ts'

export function define(command: Command, bind: Bind): void {
  listOptions(command).addHelpText(
    'after',
    `
Examples:
  $ keruta sessions
  $ keruta sessions create --name "Release 2" --repository https://git.example/app.git --ref main
  $ keruta sessions complete session-1`,
  )
  orList(command, bind, list)
  const add = (name: string, summary: string, examples: string[]) =>
    subcommand(command, name, summary, examples)
  const one = (name: string, summary: string) =>
    add(name, summary, [`keruta sessions ${name} session-1`]).argument(
      '[session-id]',
      'the session; default: --session-id',
    )

  bind(
    list,
    listOptions(add('list', 'sessions, the newest first', ['keruta sessions list --status ACTIVE --json'])),
  )
  bind(show, one('show', 'everything about a session'))
  bind(
    create,
    createOptions(
      add('create', 'a session, to which tasks can be given', [
        'keruta sessions create --name nightly --session-id nightly',
        'keruta sessions create --name app --repository https://git.example/app.git --ref main --setup ./setup.sh',
        'keruta sessions create --name app --env STAGE=ci --auto-fix-command "make fix" --tag nightly',
      ]),
    ),
  )
  bind(
    (...called) => setStatus('COMPLETED', ...called),
    one('complete', 'end a session: its daemon ends once its task has'),
  )
  bind(
    (...called) => setStatus('ARCHIVED', ...called),
    one('archive', 'put a session away: it takes no new tasks'),
  )
  bind(
    (...called) => setStatus('ACTIVE', ...called),
    one('activate', 'take a completed or archived session up again'),
  )
}

function listOptions(command: Command): Command {
  return command
    .option('--status <list>', 'ACTIVE, COMPLETED, ARCHIVED')
    .option('--search <text>', 'part of the name')
    .option('--page <n>', 'from 0')
    .option('--size <n>', 'sessions a page', '50')
}

function createOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what it is called')
    .option('--description <text>', 'what it is for')
    .option('--workspace <id>', 'the workspace whose daemon serves it')
    .option('--tag <tag>', 'may be repeated', collect, [])
    .option('--repository <url>', 'cloned, then pulled, before each task')
    .option('--ref <ref>', 'branch, tag or commit of the repository')
    .option('--env <name=value>', 'a variable of its scripts; may be repeated', collect, [])
    .option('--setup <path>', 'a file with the script that runs after a clone; - for stdin')
    .option('--auto-fix-command <line>', 'what is to mend a failed task')
}

type Options = Record<string, unknown>

function list(context: Context, { status, search, page, size }: Options): Promise<number> {
  return showPage<SessionView>(context, {
    path: '/sessions',
    query: { status, search, page, size },
    noun: 'session',
    table: (sessions, now) => sessionTable(context, sessions, now),
    empty:
      status || search
        ? 'no session is like that'
        : 'there are no sessions yet; keruta sessions create --name first makes one',
  })
}

async function show(context: Context, _options: Options, id?: string): Promise<number> {
  const api = await context.api()
  return print(context, await api.get<SessionView>(sessionPath(context.config, id)))
}

async function create(context: Context, options: Options): Promise<number> {
  const { name, description, workspace, tag, repository, ref, setup, autoFixCommand } = options
  if (name === undefined) throw usageError('which name? keruta sessions create --name <name>')
  if (ref !== undefined && repository === undefined)
    throw usageError('--ref goes with --repository: which one is it of?')
  const template = {
    repository: repository === undefined ? undefined : { url: repository, ref },
    env: pairs('--env', options.env as string[]),
    setupScript: setup === undefined ? undefined : readText(String(setup), 'setup script'),
    autoFixCommand,
  }
  const hasTemplate = Object.values(template).some(value => value !== undefined)
  const api = await context.api()
  const session = await api.post<SessionView>('/sessions', {
    // Not KERUTA_SESSION_ID: within a task that is the session of the one that makes another.
    id: options.sessionId,
    name,
    description,
    workspaceId: workspace,
    tags: tag,
    template: hasTemplate ? template : undefined,
  })
  return print(context, session)
}

async function setStatus(status: string, context: Context, _options: Options, id?: string): Promise<number> {
  const api = await context.api()
  return print(
    context,
    await api.call<SessionView>('PATCH', sessionPath(context.config, id), { body: { status } }),
  )
}

function print(context: Context, session: SessionView): number {
  const { json } = context.config
  context.print(json ? JSON.stringify(session, null, 2) : sessionDetails(context, session, Date.now()))
  return 0
}
