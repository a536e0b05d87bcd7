import type { Context } from '../context.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { backoffMs } from '../delivery/backoff.ts'
import type { Frugal } from './frugal.ts'
import type { DaemonLog } from './log.ts'
import type { Answer, Queue } from './queue.ts'
import { type ClaimedRun, type EndedRun, runClaimed } from './run-task.ts'
import type { Shutdown } from './shutdown.ts'
import type { DaemonState } from './state.ts'
import type { Wake } from './wake.ts'

export interface ServeDeps {
  context: Context
  queue: Queue
  wake: Wake
  shutdown: Shutdown
  state: DaemonState
  log: DaemonLog
  frugal: Frugal
  pollMs: number
}

/** How often what earlier agents left in the spool is tried again. */
const SPOOL_MS = 60_000

/**
 * Runs a session's tasks one after the other until the session is over or the daemon is asked to end. A task is taken only when the
 * end of the one before is known to the server, so that what builds on it finds it done.
 * @returns why it has ended
 * @throws CommandError where it cannot go on: the token is refused, the session is gone
 */
export async function serve(deps: ServeDeps): Promise<string> {
  const { context, queue, wake, shutdown, state, log, frugal, pollMs } = deps
  let awayFor = 0
  let spoolAt = Number.NEGATIVE_INFINITY
  while (!shutdown.asked.aborted) {
    if (performance.now() - spoolAt > SPOOL_MS) {
      await deliverInPassing(context)
      spoolAt = performance.now()
    }
    const answer = await queue.next()
    noteServer(answer, deps)
    if (answer.kind === 'over') return `the session is ${answer.status}`
    awayFor = answer.kind === 'away' ? awayFor + 1 : 0
    if (answer.kind === 'task') await frugal.during(() => run(answer, deps))
    else if (!shutdown.asked.aborted)
      await wake.sleep(awayFor > 0 ? backoffMs(awayFor, pollMs, Math.random()) : pollMs)
  }
  log.debug('no further task is taken')
  return state.ending ?? shutdown.reason
}

async function run(claimed: ClaimedRun, { context, shutdown, state, log }: ServeDeps): Promise<void> {
  const { task, agentId } = claimed
  const about = { taskId: task.id, name: task.name, attempt: task.attempt }
  log.info('task taken', { ...about, agentId })
  state.begin(task)
  try {
    const ended = await runClaimed(context, claimed, shutdown, run => state.attach(run))
    const { exitCode, entry } = ended
    const end = endOf(ended)
    state.counts[end]++
    log.info(`task ${end === 'handedBack' ? 'handed back' : end}`, {
      ...about,
      exitCode,
      reason: entry?.message,
    })
  } catch (error) {
    // Nothing of the task is lost to the server: it counts the run as lost, and this daemon goes on.
    state.counts.failed++
    log.error('the task could not be run', { ...about, reason: (error as Error).stack ?? String(error) })
  } finally {
    state.end()
  }
}

/** As the task stands at the server, where that has said so: a script that was cancelled, or called `keruta fail`, may exit with 0. */
function endOf({ finish, endedAs }: EndedRun): keyof DaemonState['counts'] {
  if (endedAs === 'COMPLETED') return 'completed'
  if (endedAs === 'CANCELLED') return 'cancelled'
  if (endedAs !== 'FAILED' && 'success' in finish) return 'completed'
  return 'release' in finish ? 'handedBack' : 'failed'
}

/** Says once that the server is away, and once that it is back. */
function noteServer(answer: Answer, { state, log }: ServeDeps): void {
  const trouble = answer.kind === 'away' ? answer.message : undefined
  if (trouble !== undefined && state.trouble === undefined) log.warn(`no tasks can be had now: ${trouble}`)
  if (trouble === undefined && state.trouble !== undefined) log.info('the server gives tasks again')
  state.trouble = trouble
}
