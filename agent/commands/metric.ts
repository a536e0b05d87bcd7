import type { Command } from 'commander'
import type { Observed } from '#protocol/task-calls.ts'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { usageError } from '../exit.ts'
import { isOwnTask } from '../run-socket.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('<name>', 'what is measured; or name=value')
    .argument('[value]', 'a number')
    .addHelpText(
      'after',
      `
A script that keruta runs can also print a line ::metric name=value.

Examples:
  $ keruta metric rows 1042
  $ keruta metric coverage=87.5 --task-id task123`,
    )
  action(async (context, _options, first = '', second) => {
    const [, name, value] = second === undefined ? (/^(.+?)=(.*)$/.exec(first) ?? []) : ['', first, second]
    if (name === undefined || value === undefined)
      throw usageError('which value? keruta metric <name> <value>')
    const number = value.trim() === '' ? Number.NaN : Number(value)
    if (!Number.isFinite(number)) throw usageError(`"${value.slice(0, 40)}" must be a number, such as 87.5`)
    const api = await context.api()
    const metric = { name, value: number, at: new Date().toISOString(), attempt: ownAttempt(context) }
    // What is said twice counts once, so that a lost answer does no harm.
    const secrets = await context.secrets()
    const body = secrets.report({ metrics: [metric] })
    const observed = await api.post<Observed>(`${taskPath(context.config)}/observations`, body, {
      idempotent: true,
    })
    if (context.config.json) context.print(JSON.stringify({ ...metric, ...observed }))
    return 0
  })
}

/** The attempt whose script calls this; undefined where none of this task does. */
function ownAttempt({ config }: Context): number | undefined {
  return isOwnTask(config) ? Number(config.environment.KERUTA_ATTEMPT) || undefined : undefined
}
