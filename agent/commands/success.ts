import { statSync } from 'node:fs'
import type { Command } from 'commander'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { usageError } from '../exit.ts'
import { RUN_SOCKET } from '../run-socket.ts'
import { taskPath } from '../target-path.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--message <text>', 'what was achieved')
    .option('--artifacts-dir <path>', 'folder with what the task leaves behind (KERUTA_ARTIFACTS_DIR)')
    .addHelpText(
      'after',
      `
Uploads what lies in the artifacts folder, and sets the task to COMPLETED. Within keruta execute that stands, whatever the
script's exit code is, and the folder is uploaded at the script's end.

Examples:
  $ keruta success --message "1042 rows imported"
  $ keruta success --artifacts-dir ./out`,
    )
  action(async (context, options) => {
    const path = taskPath(context.config)
    const folder = folderOf(context, options.artifactsDir as string | undefined)
    if (folder !== undefined) await uploadFolder(context, path, folder)
    const api = await context.api()
    const secrets = await context.secrets()
    const task = await api.post<TaskView>(`${path}/success`, secrets.report({ message: options.message }))
    if (context.config.json) context.print(JSON.stringify(task))
    else context.done(`task ${task.id} is ${task.status}`)
    await deliverInPassing(context)
    return 0
  })
}

/** What is to be uploaded; nothing within a run, whose agent does it at the end, unless it is another folder. */
function folderOf({ config }: Context, given: string | undefined): string | undefined {
  if (given === undefined)
    return config.environment[RUN_SOCKET] === undefined && isFolder(config.artifactsDir)
      ? config.artifactsDir
      : undefined
  if (!isFolder(given)) throw usageError(`--artifacts-dir: there is no folder ${given}`)
  return given
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** What cannot be uploaded does not change that the task has succeeded. */
async function uploadFolder(context: Context, task: string, path: string): Promise<void> {
  const { summaryOf, uploadFolders } = await import('../artifacts/upload-folder.ts')
  const { COMMAND_PATIENCE_MS } = await import('../artifacts/patience.ts')
  const report = await uploadFolders(context, {
    task,
    folders: [{ path }],
    secrets: await context.secrets(),
    patienceMs: COMMAND_PATIENCE_MS,
    signal: new AbortController().signal,
  })
  for (const remark of report.remarks) context.warn(remark)
  const summary = summaryOf(report)
  if (summary !== undefined) context.done(summary)
}
