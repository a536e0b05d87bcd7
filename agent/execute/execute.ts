import { uuidv7 } from '#protocol/id-text.ts'
import type { SessionView } from '#protocol/session.ts'
import type { TaskView } from '#protocol/task.ts'
import { sharedFolder } from '../artifacts/run-folder.ts'
import { commandTarget, fileTarget, scriptOrLineTarget, type Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { agentIdOf } from '../delivery/meta.ts'
import { usageError } from '../exit.ts'
import { numberFlag } from '../flags.ts'
import { removeFolder } from '../remove-folder.ts'
import { checkId } from '../target-path.ts'
import { TaskRun } from './run.ts'
import type { RunSpec } from './run-spec.ts'
import { scriptTarget } from './script.ts'
import { forwardSignals } from './signals.ts'
import { Stopper } from './stopper.ts'

export interface ExecuteOptions {
  script?: string
  /** First word: a script file or a command line. */
  word?: string
  words: string[]
  name?: string
  disableLogStreaming?: boolean
  /** Default: as the settings have it. */
  input?: boolean
  pty?: boolean
  timeout?: string
  grace?: string
  drainTimeout?: string
}

/** `keruta execute`: finds out what to run, and runs it. @returns the script's exit code */
export async function execute(context: Context, options: ExecuteOptions): Promise<number> {
  const { config } = context
  const durations = {
    timeoutMs: numberFlag('duration', '--timeout', options.timeout),
    graceMs: numberFlag('duration', '--grace', options.grace) ?? 10_000,
    drainMs: numberFlag('duration', '--drain-timeout', options.drainTimeout) ?? 10_000,
  }
  if (config.taskId !== undefined) checkId('task', config.taskId)
  const given = givenTarget(context, options)
  const fetched = given ? undefined : await fetchTarget(context)
  const taskId = config.taskId ?? uuidv7()
  if (config.taskId === undefined) context.say(`task ${taskId}: ${config.apiUrl}/tasks/${taskId}`)
  const target = given ?? fetched!.target
  if (options.name) target.name = options.name.slice(0, 200)
  const artifacts = sharedFolder(config, taskId)
  if (artifacts.trouble) context.say(artifacts.trouble)
  try {
    const streaming = config.logStreaming && !options.disableLogStreaming
    const { input = config.httpInput, pty = config.pty } = options
    return await runHere(context, {
      taskId,
      target,
      env: fetched?.env ?? {},
      artifacts,
      interaction: { input, pty, local: true },
      streaming,
      ...durations,
    })
  } finally {
    if (fetched) removeFolder(fetched.dir)
  }
}

async function runHere(
  context: Context,
  { graceMs, ...run }: Omit<RunSpec, 'agentId' | 'passThrough'> & { graceMs: number },
): Promise<number> {
  const stopper = new Stopper(graceMs)
  const spec = {
    ...run,
    agentId: agentIdOf(),
    passThrough: !context.config.quiet,
  }
  const giveBack = forwardSignals(stopper)
  const taskRun = new TaskRun(context, spec, stopper)
  await taskRun.begin()
  const outcome = await taskRun.carryOut()
  giveBack()
  if (await taskRun.finish(outcome, new AbortController().signal)) await deliverInPassing(context)
  return outcome.exitCode
}

function givenTarget({ rest }: Context, { script, word, words }: ExecuteOptions): Target | undefined {
  const ways = [
    script !== undefined && '--script',
    word !== undefined && 'a script',
    rest.length > 0 && 'a command after --',
  ].filter(Boolean)
  if (script === '' || word === '') throw usageError('the script is an empty word; is a variable unset?')
  if (rest[0] === '' && script === undefined)
    throw usageError('the command is an empty word; is a variable unset?')
  if (script !== undefined && word !== undefined)
    return withWords(fileTarget(script), [word, ...words, ...rest])
  if (ways.length > 1 && script === undefined) throw usageError(`give either ${ways.join(' or ')}, not both`)
  if (rest.length > 0 && script === undefined) return commandTarget(rest)
  if (script !== undefined) return withWords(fileTarget(script), rest)
  return word === undefined ? undefined : withWords(scriptOrLineTarget(word), words)
}

function withWords(target: Target, words: string[]): Target {
  if (words.length === 0) return target
  // After `sh -c line` the first word would become $0.
  const lead = target.args[0] === '-c' ? ['sh'] : []
  return { ...target, args: [...target.args, ...lead, ...words] }
}

/** The script that the server has for the task, as a file of its own, and its session's variables. */
async function fetchTarget(context: Context): Promise<{ target: Target; env: Environment; dir: string }> {
  const { taskId } = context.config
  if (taskId === undefined) {
    throw usageError(
      'nothing to run: give a script, a command after --, or --task-id of a task that has a script (see keruta execute --help)',
    )
  }
  const api = await context.api()
  const path = `/tasks/${encodeURIComponent(taskId)}`
  const script = await api.text(`${path}/script`)
  if (!script) throw usageError(`task ${taskId} has no script: give one, or a command after --`)
  const { sessionId } = await api.get<TaskView>(path)
  const env = sessionId === null ? {} : await templateEnv(context, sessionId)
  return { ...scriptTarget(script, taskId), env }
}

async function templateEnv(context: Context, sessionId: string): Promise<Environment> {
  try {
    const api = await context.api()
    const session = await api.get<SessionView>(`/sessions/${encodeURIComponent(sessionId)}`)
    return session.template?.env ?? {}
  } catch (error) {
    // A token for this task alone may not read its session.
    context.explain(`without the variables of session ${sessionId}: ${(error as Error).message}`)
    return {}
  }
}
