import { hostname } from 'node:os'
import type { Command } from 'commander'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { isOwnTask } from '../run-socket.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command.option('--message <text>', 'why or what for').addHelpText(
    'after',
    `
Sets the task to PROCESSING; a task that the server does not know is created. For scripts that are not run by
keruta execute or the daemon, which do this by themselves: in one that is, it changes nothing.

Examples:
  $ keruta start --task-id task123
  $ KERUTA_TASK_ID=task123 keruta start`,
  )
  action(async (context, options) => {
    const { config } = context
    const path = taskPath(config)
    const api = await context.api()
    if (isOwnTask(config)) {
      if (config.json) context.print(JSON.stringify(await api.get<TaskView>(path)))
      else context.done(`task ${config.taskId} is started: this is its script`)
      return 0
    }
    const secrets = await context.secrets()
    const body = {
      agentId: `${hostname().slice(0, 200)}`,
      sessionId: config.sessionId,
      message: options.message,
    }
    const { token: _, ...task } = await api.post<TaskView & { token: string }>(
      `${path}/start`,
      secrets.report(body),
      {
        idempotent: true,
      },
    )
    if (config.json) context.print(JSON.stringify(task))
    else context.done(`task ${task.id} is ${task.status}`)
    await deliverInPassing(context)
    return 0
  })
}
