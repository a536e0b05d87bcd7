import type { Command } from 'commander'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { taskPath } from '../task-id.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--message <text>', 'what went wrong')
    .option('--error-code <code>', 'a code to find it by, such as DB_CONNECTION_ERROR')
    .option('--auto-fix', 'ask for an auto-fix task')
    .addHelpText(
      'after',
      `
Sets the task to FAILED. Within keruta execute it stands, whatever the script's exit code is.

Examples:
  $ keruta fail --message "no connection to the database" --error-code DB_CONNECTION_ERROR
  $ trap 'keruta fail --message "line $LINENO failed"' ERR`,
    )
  action(async (context, options) => {
    const path = taskPath(context.config)
    const api = await context.api()
    const body = {
      message: options.message,
      errorCode: options.errorCode,
      autoFix: options.autoFix && context.config.autoFix,
    }
    const secrets = await context.secrets()
    const task = await api.post<TaskView>(`${path}/fail`, secrets.report(body))
    if (context.config.json) context.print(JSON.stringify(task))
    else context.say(`task ${task.id} is ${task.status}`)
    await deliverInPassing(context)
    return 0
  })
}
