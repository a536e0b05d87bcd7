import { ID_PATTERN } from '#protocol/id-text.ts'
import type { Config } from './config.ts'
import { usageError } from './exit.ts'

/** The path below `/api/v1` of the task that a command is about. */
export function taskPath(config: Config, given: string | undefined = config.taskId): string {
  if (given === undefined) throw usageError('which task? Give --task-id, or set KERUTA_TASK_ID')
  if (!ID_PATTERN.test(given)) {
    throw usageError(
      `the task id "${given.slice(0, 140)}" must be 1 to 128 characters of A-Z a-z 0-9 . _ : - and start with a letter or digit`,
    )
  }
  return `/tasks/${encodeURIComponent(given)}`
}
