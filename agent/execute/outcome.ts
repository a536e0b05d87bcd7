import { constants } from 'node:os'
import type { ChildEnd } from '../capture/child.ts'
import type { Finish } from '../delivery/meta.ts'

/** What the agent knows about an end beside the child's status. */
export interface Circumstances {
  timedOutAfterMs?: number
  cancelled: boolean
  /** The run is another agent's by now, or nobody's. */
  disowned?: boolean
  /** Why the task goes back to the queue. */
  handedBack?: string
  /** A signal that the agent passed on. */
  forwarded?: NodeJS.Signals
  killedAfterGrace: boolean
  outOfMemory: boolean
}

export interface Outcome {
  exitCode: number
  finish: Finish
  /** Entry for the log: why it did not end well. */
  entry?: { level: number; message: string }
  /** That the agent, not the script, made this end. */
  stopped?: boolean
  notStarted?: boolean
}

const WARN = 2
const ERROR = 3
const CRITICAL = 4

/** How the run ended: exit code, what the server is told, and what the log says. Pure. */
export function outcomeOf(end: ChildEnd, about: Circumstances, at: string): Outcome {
  if (end.code === 0 && about.timedOutAfterMs === undefined)
    return { exitCode: 0, finish: { success: { exitCode: 0, at } } }
  if (about.handedBack !== undefined && !about.disowned && !about.cancelled) {
    const message = about.handedBack
    return {
      exitCode: 1,
      finish: { release: { message } },
      entry: { level: WARN, message: `stopped, and back in the queue: ${message}` },
      stopped: true,
    }
  }
  const exitCode = end.code ?? 128 + (constants.signals[end.signal!] ?? 0)
  const { message, errorCode } = explain(end, about)
  const meant = about.forwarded || about.cancelled || about.disowned
  const level = end.signal && !meant ? CRITICAL : ERROR
  return {
    exitCode: exitCode === 0 ? 1 : exitCode,
    finish: { fail: { message, errorCode, exitCode, signal: end.signal, at } },
    entry: { level, message },
    stopped: about.timedOutAfterMs !== undefined || about.cancelled || about.disowned === true,
  }
}

/** The script could not be started at all. */
export function notStarted(error: NodeJS.ErrnoException, file: string, at: string): Outcome {
  const missing = error.code === 'ENOENT'
  const message = missing
    ? `${file} was not found`
    : error.code === 'EACCES'
      ? `${file} may not be executed`
      : `${file} could not be started: ${error.message}`
  const exitCode = missing ? 127 : 126
  const errorCode = missing ? 'COMMAND_NOT_FOUND' : 'NOT_EXECUTABLE'
  return {
    exitCode,
    finish: { fail: { message, errorCode, exitCode, at } },
    entry: { level: ERROR, message },
    notStarted: true,
  }
}

/** The run failed before its script was started. */
export function notPrepared(errorCode: string, message: string, at: string): Outcome {
  return {
    exitCode: 1,
    finish: { fail: { message, errorCode, exitCode: null, at } },
    entry: { level: ERROR, message },
    notStarted: true,
  }
}

/** Whether a task that is to mend the failure makes sense. */
export function isMendable({ finish, stopped }: Outcome): boolean {
  return 'fail' in finish && (!stopped || finish.fail.errorCode === 'TIMEOUT')
}

function explain(end: ChildEnd, about: Circumstances): { message: string; errorCode: string } {
  const killed = about.killedAfterGrace
    ? ', and then killed because it did not end within the grace time'
    : ''
  if (about.timedOutAfterMs !== undefined) {
    return {
      message: `stopped after the timeout of ${about.timedOutAfterMs / 1000} s${killed}`,
      errorCode: 'TIMEOUT',
    }
  }
  if (about.cancelled) return { message: `cancelled${killed}`, errorCode: 'CANCELLED' }
  if (about.disowned)
    return {
      message: `stopped because the task is not this agent's any more${killed}`,
      errorCode: 'AGENT_LOST',
    }
  if (about.outOfMemory)
    return { message: 'killed by the system because memory ran out', errorCode: 'OUT_OF_MEMORY' }
  if (about.forwarded)
    return { message: `ended by ${about.forwarded} to the agent${killed}`, errorCode: about.forwarded }
  if (end.signal) return { message: `killed by ${end.signal}`, errorCode: end.signal }
  return { message: `exited with code ${end.code}`, errorCode: `EXIT_${end.code}` }
}
