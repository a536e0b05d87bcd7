import { ID_PATTERN } from '#protocol/id-text.ts'
import type { Config } from './config.ts'
import { usageError } from './exit.ts'

/** The path below `/api/v1` of the task that a command is about. */
export function taskPath(config: Config, given: string | undefined = config.taskId): string {
  return pathOf('task', given)
}

/** The same of the session. */
export function sessionPath(config: Config, given: string | undefined = config.sessionId): string {
  return pathOf('session', given)
}

function pathOf(kind: 'task' | 'session', id: string | undefined): string {
  if (id === undefined)
    throw usageError(`which ${kind}? Give --${kind}-id, or set KERUTA_${kind.toUpperCase()}_ID`)
  checkId(kind, id)
  return `/${kind}s/${encodeURIComponent(id)}`
}

/** @throws CommandError where the server would not take the id */
export function checkId(kind: 'task' | 'session', id: string): void {
  if (ID_PATTERN.test(id)) return
  throw usageError(
    `the ${kind} id "${id.slice(0, 140)}" must be 1 to 128 characters of A-Z a-z 0-9 . _ : - and start with a letter or digit`,
  )
}
