import { Command, CommanderError } from 'commander'
import { type GlobalFlags, loadConfig } from './config.ts'
import { type Context, openApi, openSecrets } from './context.ts'
import { EXIT } from './exit.ts'
import type { Secrets } from './mask/secrets.ts'
import { isOwnTask } from './run-socket.ts'

/** What a file in `commands/` exports: it declares arguments, options and examples, and hands its work, and that of its subcommands, to `action`. */
export interface CommandModule {
  define(command: Command, action: (handler: Handler, on?: Command) => void): void
}

/** @returns the exit code; nothing for 0 */
export type Handler = (
  context: Context,
  options: Record<string, unknown>,
  ...args: string[]
) => Promise<number | undefined>

/** Every command; its file is loaded only when it is called. */
export const COMMANDS: { name: string; summary: string; load: () => Promise<CommandModule> }[] = [
  {
    name: 'execute',
    summary: 'run a script or command and stream its output',
    load: () => import('./commands/execute.ts'),
  },
  {
    name: 'daemon',
    summary: 'serve a session: run its tasks as they come',
    load: () => import('./commands/daemon.ts'),
  },
  { name: 'start', summary: 'set a task to PROCESSING', load: () => import('./commands/start.ts') },
  { name: 'success', summary: 'set a task to COMPLETED', load: () => import('./commands/success.ts') },
  { name: 'fail', summary: 'set a task to FAILED', load: () => import('./commands/fail.ts') },
  {
    name: 'redact',
    summary: "mask a value in a task's log from now on",
    load: () => import('./commands/redact.ts'),
  },
  {
    name: 'progress',
    summary: "report a task's progress in percent",
    load: () => import('./commands/progress.ts'),
  },
  {
    name: 'log',
    summary: "add an entry, or stdin's lines, to a task's log",
    load: () => import('./commands/log.ts'),
  },
  { name: 'logs', summary: "read a task's log, also live", load: () => import('./commands/logs.ts') },
  {
    name: 'tasks',
    summary: 'list, show, create, cancel and retry tasks',
    load: () => import('./commands/tasks.ts'),
  },
  {
    name: 'sessions',
    summary: 'list, show, create and complete sessions',
    load: () => import('./commands/sessions.ts'),
  },
  {
    name: 'input',
    summary: 'type something to a script that waits for it',
    load: () => import('./commands/input.ts'),
  },
  {
    name: 'artifact',
    summary: 'add, list, get and remove files of a task',
    load: () => import('./commands/artifact.ts'),
  },
  { name: 'metric', summary: "report a number of a task's", load: () => import('./commands/metric.ts') },
  { name: 'config', summary: 'show and change settings', load: () => import('./commands/config.ts') },
  { name: 'health', summary: 'check server, disk and memory', load: () => import('./commands/health.ts') },
  { name: 'version', summary: 'print the version', load: () => import('./commands/version.ts') },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: () => import('./commands/completion.ts'),
  },
]

/** Runs one command line. @returns the exit code */
export async function runCli(argv: string[]): Promise<number> {
  const split = argv.indexOf('--')
  const head = split < 0 ? argv : argv.slice(0, split)
  const takesRest = head.includes('execute')
  let exitCode: number = EXIT.success
  const program = await buildProgram(head, handler => async (...params: unknown[]) => {
    const command = params.at(-1) as Command
    const options = command.optsWithGlobals()
    const context = await openContext(options, takesRest && split >= 0 ? argv.slice(split + 1) : [])
    exitCode = (await handler(context, options, ...(params.slice(0, -2) as string[]))) ?? EXIT.success
  })
  try {
    await program.parseAsync(takesRest ? head : argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.success : EXIT.usage
  }
  return exitCode
}

/** The tree of commands, with those that `words` name loaded. */
export async function buildProgram(
  words: string[],
  bind: (handler: Handler) => (...params: unknown[]) => Promise<void>,
): Promise<Command> {
  const program = globalOptions(new Command('keruta'))
  program
    .description('Runs the tasks of a workspace and shows what they print, as they print it.')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`(commands: ${COMMANDS.map(({ name }) => name).join(', ')}; see keruta --help)`)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'keruta: ')) })
    .addHelpText('after', EXAMPLES)
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary)
    if (!words.includes(name)) continue
    const { define } = await load()
    define(command, (handler, on = command) => on.action(bind(handler)))
    for (const each of [command, ...command.commands])
      globalOptions(each).showHelpAfterError(`(see ${pathOf(each)} --help)`)
  }
  return program
}

const EXAMPLES = `
Examples:
  $ keruta execute -- make test          run a command, see its lines in the console
  $ keruta logs task123 --follow         read a task's log as it is written
  $ keruta execute --help                everything about one command

Settings come from flags, KERUTA_… variables, ./keruta.yaml and ~/.keruta/config.yaml: see keruta config show.`

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function globalOptions(command: Command): Command {
  return command
    .optionsGroup('Global options:')
    .option('--api-url <url>', 'the server (KERUTA_API_URL)')
    .option('--token <token>', 'API key or JWT (KERUTA_API_TOKEN)')
    .option('--task-id <id>', 'the task (KERUTA_TASK_ID)')
    .option('--session-id <id>', 'the session (KERUTA_SESSION_ID)')
    .option('--log-level <level>', 'lowest level to send: DEBUG, INFO, WARN, ERROR, CRITICAL')
    .option('--config <file>', 'settings file instead of ./keruta.yaml')
    .option('--json', 'results as JSON')
    .option('--verbose', 'tell more on stderr')
    .option('--quiet', 'tell nothing but errors')
}

async function openContext(flags: GlobalFlags, rest: string[]): Promise<Context> {
  const config = await loadConfig(flags)
  const write = (message: string) => process.stderr.write(`keruta: ${message}\n`)
  let secrets: Promise<Secrets> | undefined
  const context: Context = {
    config,
    rest,
    api: () => openApi(config),
    secrets: () => {
      secrets ??= openSecrets(context)
      return secrets
    },
    program: words => buildProgram(words, () => async () => {}),
    print: text => process.stdout.write(`${text}\n`),
    warn: write,
    say: message => void (config.quiet || write(message)),
    done: message => (isOwnTask(config) ? context.explain : context.say)(message),
    explain: message => void (config.verbose && write(message)),
  }
  for (const warning of config.warnings) context.explain(warning)
  return context
}
