import { createHash } from 'node:crypto'
import { KerutaError } from '#protocol/errors.ts'
import type { Level } from '#protocol/log.ts'
import type { Session } from '#protocol/session.ts'
import { MAX_AUTO_FIX_CHAIN, type Task } from '#protocol/task.ts'
import { AUTO_FIX_LINES, type AutoFixContext, type AutoFixOutcome } from '#protocol/task-calls.ts'
import type { Collection } from '#server/store/store.ts'
import { failedRun } from './failed-run.ts'
import { newTask } from './new-task.ts'
import type { Actor, Tasks } from './tasks.ts'

/** Notes something in the task's log, once for each `key` however often it is said; as WARN, unless it names another level. */
export type Say = (taskId: string, key: string, message: string, level?: Level) => Promise<void>

export interface AutoFixesDeps {
  tasks: Pick<Tasks, 'find' | 'get' | 'insert'>
  sessions: Pick<Collection<Session>, 'get'>
  /** The last messages of a log, at most `count`, of lines from `from` up to `to` (ISO times). */
  lastLines(taskId: string, range: { from?: string; to?: string }, count: number): Promise<string[]>
  say: Say
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Tasks that mend failed ones. One failure has one of them, however often, and to whatever server, it is reported. */
export interface AutoFixes {
  /**
   * @param command default: the `autoFixCommand` of the session's template
   * @returns the task, and whether this call made it
   * @throws KerutaError CONFLICT where there can be none, and why
   */
  request(taskId: string, by: Actor, command?: string): Promise<{ task: Task; created: boolean }>
  /** What `fail {autoFix: true}` asks for; a chain that is at its limit is noted in the failed task's log. */
  afterFailure(failed: Task, by: Actor): Promise<AutoFixOutcome>
  /** What an auto-fix task is to mend. NOT_FOUND where the task is none, or the failed one is gone. */
  context(taskId: string): Promise<AutoFixContext>
}

const MAX_PRIORITY = 1_000_000
const MAX_NAME_CHARS = 200
const NAME_PREFIX = 'Auto-fix: '

export function createAutoFixes({ tasks, sessions, lastLines, say, clock }: AutoFixesDeps): AutoFixes {
  async function request(taskId: string, by: Actor, command?: string) {
    const failed = await tasks.get(taskId)
    const session = failed.sessionId === null ? undefined : await sessions.get(failed.sessionId)
    const script = command ?? session?.template?.autoFixCommand
    const problem = problemOf(failed, session, script)
    if (problem !== undefined) throw new KerutaError('CONFLICT', problem)
    const fix: Task = {
      ...newTask(
        fixId(failed),
        new Date(clock()).toISOString(),
        by.name,
        {
          name: fixName(failed.name),
          sessionId: failed.sessionId,
          script,
          env: failed.env,
          priority: Math.min(failed.priority + 1, MAX_PRIORITY),
        },
        `to mend ${failed.id}`,
      ),
      autoFixOf: failed.id,
      autoFixChain: [...failed.autoFixChain, failed.id],
    }
    const created = await tasks.insert(fix)
    // Also where it was made before: who made it may not have come to this.
    await say(failed.id, noteKey(failed), noteOf(fix.id), 'INFO')
    return { task: created ? fix : await tasks.get(fix.id), created }
  }

  return {
    request,
    async afterFailure(failed, by) {
      if (failed.status === 'PENDING') {
        const reason = `attempt ${failed.attempt} of ${failed.maxAttempts} follows`
        return { taskId: null, reason }
      }
      try {
        const { task } = await request(failed.id, by)
        return { taskId: task.id, reason: null }
      } catch (error) {
        if (!(error instanceof KerutaError) || error.code !== 'CONFLICT') throw error
        const reason = error.message
        if (chainIsFull(failed)) await say(failed.id, noteKey(failed), reason)
        return { taskId: null, reason }
      }
    },
    async context(taskId) {
      const fix = await tasks.get(taskId)
      if (fix.autoFixOf === null)
        throw new KerutaError('NOT_FOUND', `task ${taskId} is no auto-fix task: it mends no other`)
      const failed = await tasks.find(fix.autoFixOf)
      if (!failed)
        throw new KerutaError('NOT_FOUND', `task ${fix.autoFixOf}, which ${taskId} is to mend, was deleted`)
      const { range, ...error } = failedRun(failed, fix.createdAt)
      const { id, name, script } = failed
      const last = await lastLines(id, range, AUTO_FIX_LINES + 1)
      const lines = last.filter(line => line !== noteOf(taskId)).slice(-AUTO_FIX_LINES)
      return { taskId: id, name, script, ...error, lines }
    },
  }
}

function problemOf(
  failed: Task,
  session: Session | undefined,
  script: string | null | undefined,
): string | undefined {
  const { id, status, sessionId, autoFixChain } = failed
  if (status === 'CANCELLED') return `task ${id} was cancelled, which is no failure to mend`
  if (status !== 'FAILED') return `task ${id} is ${status}; only a FAILED one can be mended`
  if (chainIsFull(failed))
    return `no auto-fix task: ${[...autoFixChain, id].join(' → ')} is a chain of ${MAX_AUTO_FIX_CHAIN}, which is the limit`
  if (sessionId === null)
    return `task ${id} belongs to no session, so that no agent would run an auto-fix task`
  if (!session) return `session ${sessionId} of task ${id} is gone`
  if (session.status !== 'ACTIVE')
    return `session ${sessionId} is ${session.status}: no agent would run an auto-fix task`
  if (!script) return `the template of session ${sessionId} has no autoFixCommand`
  return undefined
}

/** What the log of the failed task says of the one that is to mend it. */
function noteOf(fixId: string): string {
  return `auto-fix task ${fixId} was queued`
}

function noteKey({ attempt }: Task): string {
  return `auto-fix.${attempt}`
}

/** The failure, its fix, the fix of that. */
function chainIsFull({ autoFixChain }: Task): boolean {
  return autoFixChain.length + 1 >= MAX_AUTO_FIX_CHAIN
}

/** The same for one failure on every server; nobody else takes it by chance, as `build-1-fix` might be. */
function fixId({ id, createdAt, attempt }: Task): string {
  const hash = createHash('sha256').update(`auto-fix ${id} ${createdAt} ${attempt}`).digest('hex')
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function fixName(name: string): string {
  const whole = name.startsWith(NAME_PREFIX) ? name : NAME_PREFIX + name
  return whole.length > MAX_NAME_CHARS ? `${whole.slice(0, MAX_NAME_CHARS - 1)}…` : whole
}
