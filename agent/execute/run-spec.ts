import type { StartedTask } from '#protocol/task-calls.ts'
import type { RunFolder } from '../artifacts/run-folder.ts'
import type { Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'
import type { InteractionOptions } from '../input/interaction.ts'
import type { Prepared, Stage } from './prepare.ts'

/** What is to be run, and how. */
export interface RunSpec {
  taskId: string
  /** Names this run, also among those of this agent. */
  agentId: string
  target: Target
  /** The task where this run was claimed. */
  claimed?: StartedTask
  /** Variables that the task's own go over. */
  env: Environment
  /** What the script finds done. @throws PrepareError where it cannot be started then */
  prepare?(stage: Stage): Promise<Prepared>
  /** Whether it is answered, and has a terminal. */
  interaction: InteractionOptions
  /** What the script leaves there is uploaded at its end. */
  artifacts: RunFolder
  /** Whether the output also goes to this process's own. */
  passThrough: boolean
  /** False: only start and end are told. */
  streaming: boolean
  /** Beside the task's own limit. */
  timeoutMs: number | undefined
  /** How long the end waits for the server; longer while it makes progress. */
  drainMs: number
}
