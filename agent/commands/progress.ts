import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import { usageError } from '../exit.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('<percentage>', '0 to 100')
    .option('--message <text>', 'what is being done')
    .addHelpText(
      'after',
      `
Examples:
  $ keruta progress 50 --message "importing rows"`,
    )
  action(async (context, options, percentage = '') => {
    const progress = Number(percentage.replace(/%$/, ''))
    if (percentage.trim() === '' || !(progress >= 0 && progress <= 100)) {
      throw usageError(`the progress "${percentage}" must be a number from 0 to 100`)
    }
    const path = taskPath(context.config)
    const api = await context.api()
    const secrets = await context.secrets()
    const task = await api.post(`${path}/progress`, secrets.report({ progress, message: options.message }), {
      idempotent: true,
    })
    if (context.config.json) context.print(JSON.stringify(task))
    return 0
  })
}
