import type { Command } from 'commander'
import { LEVELS, type Level, parseLevel } from '#protocol/levels.ts'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { usageError } from '../exit.ts'
import { collect, pairs } from '../pairs.ts'
import { askRun, RUN_SOCKET } from '../run-socket.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument(
      '<level>',
      'DEBUG, INFO, WARN, ERROR or CRITICAL; or - alone for lines of stdin with levels of their own',
    )
    .argument('[message]', 'the text, or - for lines of stdin')
    .option('--step <name>', 'the step that the entry belongs to')
    .option('--metadata <key=value>', 'a field of the entry; may be repeated', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  $ keruta log INFO "import begins"
  $ keruta log ERROR "row refused" --step import --metadata row=17 --metadata table=users
  $ tail -f app.log | keruta log - --task-id task123
  $ make 2>&1 | keruta log DEBUG -`,
    )
  action(async (context, options, level = '', message) => {
    const fromStdin = message === '-' || (level === '-' && message === undefined)
    const parsed = level === '-' ? undefined : readLevel(level)
    const { logLevel } = context.config
    const path = taskPath(context.config)
    if (fromStdin) {
      if (options.step || (options.metadata as string[]).length > 0)
        throw usageError('--step and --metadata go with one message, not with lines of stdin')
      const { streamStdin } = await import('../execute/stdin.ts')
      return streamStdin(context, parsed)
    }
    if (message === undefined || parsed === undefined)
      throw usageError('the message is missing: keruta log <level> <message>, or - for lines of stdin')
    if (logLevel && LEVELS.indexOf(parsed) < LEVELS.indexOf(logLevel as Level)) return 0
    const secrets = await context.secrets()
    const entry = {
      source: 'agent',
      level: parsed,
      message,
      step: options.step as string | undefined,
      metadata: pairs('--metadata', options.metadata as string[]),
    }
    const { step } = entry
    await post(context, path, secrets.report(entry))
    if (step !== undefined) await nameStep(context, secrets.text(step))
    await deliverInPassing(context)
    return 0
  })
}

async function post(context: Context, path: string, entry: unknown): Promise<void> {
  const api = await context.api()
  const answer = await api.post(`${path}/logs`, entry)
  if (context.config.json) context.print(JSON.stringify(answer))
}

/** A step of the run that the script is part of begins, unless it is the one that was named last. */
async function nameStep({ config }: Context, name: string): Promise<void> {
  await askRun(config.environment[RUN_SOCKET], { ask: 'step', name })
}

function readLevel(name: string): Level {
  const level = parseLevel(name)
  if (!level) throw usageError(`unknown level "${name.slice(0, 40)}": one of ${LEVELS.join(', ')}`)
  return level
}
