import type { ChildEnd } from '../capture/child.ts'
import type { Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'

/** What is done before the script may use this. */
export interface Stage {
  /** What the script will find in its environment. */
  env: Environment
  /** Fires when the run is to end. */
  signal: AbortSignal
  /** An entry of the agent in the task's log. @param level position in LEVELS */
  say(level: number, message: string): void
  /** Runs a command whose output belongs to the task. */
  run(target: Pick<Target, 'file' | 'args'>, cwd: string | undefined): Promise<ChildEnd>
}

/** What differs from what was said before. */
export interface Prepared {
  /** Default: the settings' working directory. */
  cwd?: string
  target?: Pick<Target, 'file' | 'args' | 'path'>
}

/** Why the script could not be started: what the task fails with. */
export class PrepareError extends Error {
  readonly errorCode: string

  constructor(errorCode: string, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}
