import type { Command } from 'commander'
import { ID_PATTERN } from '#protocol/id-text.ts'
import type { Page } from '#protocol/page.ts'
import type { SessionView } from '#protocol/session.ts'
import type { Context } from '../context.ts'
import { usageError } from '../exit.ts'
import { collect, pairs } from '../pairs.ts'
import { readText } from '../read-text.ts'
import { sayRest } from '../show/pages.ts'
import { sessionDetails, sessionTable } from '../show/session.ts'
import { type Bind, orList, subcommand } from '../subcommands.ts'

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

async function list(context: Context, options: Options): Promise<number> {
  const { status, search, page, size } = options
  const given = Object.entries({ status, search, page, size }).filter(([, value]) => value !== undefined)
  const api = await context.api()
  const found = await api.get<Page<SessionView>>(
    `/sessions?${new URLSearchParams(given as [string, string][])}`,
  )
  if (context.config.json) {
    context.print(JSON.stringify(found, null, 2))
    return 0
  }
  if (found.content.length > 0) context.print(sessionTable(context, found.content, Date.now()))
  const none =
    status || search
      ? 'no session is like that'
      : 'there are no sessions yet; keruta sessions create --name first makes one'
  sayRest(context, found, 'session', none)
  return 0
}

async function show(context: Context, _options: Options, id?: string): Promise<number> {
  const api = await context.api()
  return print(context, await api.get<SessionView>(sessionPath(context, id)))
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
  return print(context, await api.call<SessionView>('PATCH', sessionPath(context, id), { body: { status } }))
}

function sessionPath({ config }: Context, given: string | undefined = config.sessionId): string {
  if (given === undefined) throw usageError('which session? Give --session-id, or set KERUTA_SESSION_ID')
  if (!ID_PATTERN.test(given))
    throw usageError(
      `the session id "${given.slice(0, 140)}" must be 1 to 128 characters of A-Z a-z 0-9 . _ : - and start with a letter or digit`,
    )
  return `/sessions/${encodeURIComponent(given)}`
}

function print(context: Context, session: SessionView): number {
  const { json } = context.config
  context.print(json ? JSON.stringify(session, null, 2) : sessionDetails(context, session, Date.now()))
  return 0
}
