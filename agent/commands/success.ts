import type { Command } from 'commander'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { taskPath } from '../task-id.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--message <text>', 'what was achieved')
    .option('--artifacts-dir <path>', 'folder with what the task leaves behind')
    .addHelpText(
      'after',
      `
Sets the task to COMPLETED. Within keruta execute it stands, whatever the script's exit code is.

Examples:
  $ keruta success --message "1042 rows imported"`,
    )
  action(async (context, options) => {
    if (options.artifactsDir)
      context.say('artifacts are not uploaded by this version; --artifacts-dir changes nothing')
    const path = taskPath(context.config)
    const api = await context.api()
    const secrets = await context.secrets()
    const task = await api.post<TaskView>(`${path}/success`, secrets.report({ message: options.message }))
    if (context.config.json) context.print(JSON.stringify(task))
    else context.say(`task ${task.id} is ${task.status}`)
    await deliverInPassing(context)
    return 0
  })
}
