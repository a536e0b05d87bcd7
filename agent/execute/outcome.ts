import { constants } from 'node:os'
import type { ChildEnd } from '../capture/child.ts'
import type { Finish } from '../delivery/meta.ts'
import type { StartFailure } from './start-failure.ts'

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
  /** The system killed a process for memory: in this agent's control group, or somewhere on the machine. */
  outOfMemory?: 'here' | 'somewhere'
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

/** The run is another agent's by now, or nobody's. */
const LOST = 'AGENT_LOST'

const WARN = 2
const ERROR = 3
const CRITICAL = 4

/**
 * How the run ended: exit code, what the server is told, and what the log says. Pure.
 * @param found what is wrong with the script, should it have failed by itself
 */
export function outcomeOf(
  end: ChildEnd,
  about: Circumstances,
  at: string,
  found?: { message: string; errorCode: string },
): Outcome {
  if (end.code === 0 && about.timedOutAfterMs === undefined) {
    const entry =
      about.outOfMemory === 'here'
        ? { level: WARN, message: 'the system killed a process of the script because memory ran out' }
        : undefined
    return { exitCode: 0, finish: { success: { exitCode: 0, at } }, entry }
  }
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
  const { message, errorCode } = explain(end, about, found)
  const meant = about.forwarded || about.cancelled || about.disowned || end.signal === 'SIGPIPE'
  const level = (end.signal && !meant) || errorCode === 'OUT_OF_MEMORY' ? CRITICAL : ERROR
  return {
    exitCode: exitCode === 0 ? 1 : exitCode,
    finish: { fail: { message, errorCode, exitCode, signal: end.signal, at } },
    entry: { level, message },
    stopped: about.timedOutAfterMs !== undefined || about.cancelled || about.disowned === true,
  }
}

/** The script could not be started at all. */
export function notStarted({ message, errorCode, exitCode }: StartFailure, at: string): Outcome {
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

/** Whether the script has run, and its end is this agent's to tell: then what it leaves behind is the task's. */
export function isFinal({ finish, notStarted }: Outcome): boolean {
  const isLost = 'fail' in finish && finish.fail.errorCode === LOST
  return !('release' in finish) && !notStarted && !isLost
}

/** Whether a task that is to mend the failure makes sense. */
export function isMendable({ finish, stopped }: Outcome): boolean {
  return 'fail' in finish && (!stopped || finish.fail.errorCode === 'TIMEOUT')
}

function explain(
  end: ChildEnd,
  about: Circumstances,
  found: { message: string; errorCode: string } | undefined,
): { message: string; errorCode: string } {
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
      errorCode: LOST,
    }
  if (about.forwarded)
    return { message: `ended by ${about.forwarded} to the agent${killed}`, errorCode: about.forwarded }
  if (about.outOfMemory === 'here' || (about.outOfMemory && isKilled(end)))
    return { message: outOfMemory(end), errorCode: 'OUT_OF_MEMORY' }
  if (end.signal)
    return { message: `killed by ${end.signal}${SIGNALS[end.signal] ?? ''}`, errorCode: end.signal }
  if (found) return { ...found, message: `exited with code ${end.code}: ${found.message}` }
  return { message: `exited with code ${end.code}${meaningOf(end.code!)}`, errorCode: `EXIT_${end.code}` }
}

function outOfMemory(end: ChildEnd): string {
  const advice = 'give it more memory, or let it do less at once'
  return isKilled(end)
    ? `killed by the system because memory ran out: ${advice}`
    : `${end.signal ?? `exited with code ${end.code}`} after the system had killed one of its processes because memory ran out: ${advice}`
}

/** Whether it, or the last command of a shell, was killed for good. */
function isKilled({ code, signal }: ChildEnd): boolean {
  return signal === 'SIGKILL' || code === 128 + constants.signals.SIGKILL
}

const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: ': it used memory that was not its own',
  SIGABRT: ': it gave up by itself, as programs do on an error of their own',
  SIGBUS: ': it used memory that was not there, or a file that was cut off',
  SIGFPE: ': it divided by zero, or the like',
  SIGILL: ': it has instructions that this processor does not know',
  SIGPIPE: ': who read its output had gone',
  SIGXCPU: ': it reached its limit of processor time',
  SIGXFSZ: ': a file reached its limit of size',
}

/** What shells mean by some codes. */
function meaningOf(code: number): string {
  if (code === 126) return ': a command could not be executed'
  if (code === 127) return ': a command was not found'
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0]
  return code > 128 && signal ? `: a command of it was ended by ${signal}` : ''
}
