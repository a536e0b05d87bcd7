import type { ClaimedTask } from '#protocol/session.ts'
import type { TaskStatus } from '#protocol/task.ts'
import { ownFolder } from '../artifacts/run-folder.ts'
import type { Target } from '../capture/target.ts'
import type { Context } from '../context.ts'
import type { Outcome } from '../execute/outcome.ts'
import { TaskRun } from '../execute/run.ts'
import { Stopper } from '../execute/stopper.ts'
import { removeFolder } from '../remove-folder.ts'
import { prepareTask } from './prepare.ts'
import { CHILD_GRACE_MS, type Shutdown } from './shutdown.ts'

/** What was found in the queue, and in whose name it is run. */
export interface ClaimedRun {
  task: ClaimedTask
  agentId: string
}

export interface EndedRun extends Outcome {
  /** What the server has made of it; nothing where it could not be told. */
  endedAs: TaskStatus | undefined
}

/**
 * Runs a claimed task as `keruta execute` would, to its end and until the server knows of it: the next one may build on it.
 * @param onRun the run, while it can be given input
 */
export async function runClaimed(
  context: Context,
  { task, agentId }: ClaimedRun,
  shutdown: Shutdown,
  onRun: (run: TaskRun) => void,
): Promise<EndedRun> {
  const { config } = context
  const stopper = new Stopper(CHILD_GRACE_MS)
  const dirs: string[] = []
  const target: Target = { file: 'sh', args: [], name: task.name, script: task.script ?? '' }
  const artifacts = ownFolder(config, task.id, task.attempt)
  if (artifacts.trouble) context.warn(artifacts.trouble)
  const run = new TaskRun(
    context,
    {
      taskId: task.id,
      agentId,
      target,
      claimed: task,
      env: task.session.template?.env ?? {},
      artifacts,
      prepare: stage => prepareTask(config, task, stage, dirs),
      interaction: { input: config.httpInput, pty: config.pty, local: false },
      passThrough: false,
      streaming: config.logStreaming,
      timeoutMs: undefined,
      drainMs: Number.POSITIVE_INFINITY,
    },
    stopper,
  )
  const handBack = () => stopper.handBack(`the agent ends (${shutdown.reason})`)
  const kill = () => stopper.kill()
  // Asked for in the moment in which the daemon was told to end.
  if (shutdown.asked.aborted) handBack()
  shutdown.over.addEventListener('abort', handBack)
  shutdown.leave.addEventListener('abort', kill)
  try {
    await run.begin()
    onRun(run)
    const outcome = await run.carryOut()
    await run.finish(outcome, shutdown.leave)
    return { ...outcome, endedAs: run.endedAs }
  } catch (error) {
    run.abandon()
    throw error
  } finally {
    shutdown.over.removeEventListener('abort', handBack)
    shutdown.leave.removeEventListener('abort', kill)
    for (const dir of dirs) removeFolder(dir)
  }
}
