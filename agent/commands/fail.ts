import type { Command } from 'commander'
import type { FailedTask } from '#protocol/task-calls.ts'
import type { Handler } from '../cli.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--message <text>', 'what went wrong')
    .option('--error-code <code>', 'a code to find it by, such as DB_CONNECTION_ERROR')
    .option('--auto-fix', "make a task that is to mend it, by the session's auto-fix command")
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
    const task = await api.post<FailedTask>(`${path}/fail`, secrets.report(body))
    if (context.config.json) context.print(JSON.stringify(task))
    else {
      context.done(`task ${task.id} is ${task.status}`)
      if (options.autoFix) context.say(fate(task))
    }
    await deliverInPassing(context)
    return 0
  })
}

/** What became of the wish to have it mended. */
function fate({ autoFix }: FailedTask): string {
  if (!autoFix) return 'no auto-fix task: KERUTA_AUTO_FIX_ENABLED is false'
  return autoFix.taskId ? `task ${autoFix.taskId} is to mend it` : `no auto-fix task: ${autoFix.reason}`
}
