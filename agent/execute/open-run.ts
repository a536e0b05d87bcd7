import type { Observations } from '#protocol/task-calls.ts'
import { Marks } from '../capture/marks.ts'
import type { Context } from '../context.ts'
import { LogStream } from '../delivery/log-stream.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { Interaction } from '../input/interaction.ts'
import { addAgentSecrets, withoutSecrets } from '../mask/open.ts'
import { Secrets } from '../mask/secrets.ts'
import { Observer } from './observer.ts'
import { Output } from './output.ts'
import { isRefusal, Reporter } from './reporter.ts'
import type { RunSpec } from './run-spec.ts'
import type { Stopper } from './stopper.ts'

/** What one run has open: its ways to the server, to the script, and what none of them may tell. */
export interface OpenRun {
  /** Tells no secret of the run. */
  context: Context
  secrets: Secrets
  reporter: Reporter
  stream: LogStream
  observer: Observer
  marks: Marks
  output: Output
  interaction: Interaction
  /** An entry of the agent in the task's log. @param level position in LEVELS */
  say(level: number, message: string): void
  /** A call about the task, once. @throws CommandError where the server does not take it */
  tell(verb: string, body: unknown): Promise<void>
  /** Named as this run's: another one may have begun by the time they are told. */
  ofAttempt(observed: Observations): Observations
}

export function openRun(outer: Context, spec: RunSpec, stopper: Stopper): OpenRun {
  const { taskId, agentId, claimed, streaming, env } = spec
  const secrets = new Secrets(warn)
  const context = withoutSecrets(outer, secrets)
  const { config, say: notice, explain } = context
  const lost = () => stopper.disown()
  const reporter = new Reporter(context, { taskId, agentId, claimed, streaming, onLost: lost })
  const writer = { taskId, agentId, token: () => reporter.token }
  const stream = new LogStream(streamSettings(config), writer, {
    cancel: () => stopper.cancel(),
    input: input => interaction.take(input),
    lost,
    pressure: stop => output.pressure(stop),
    warn: context.warn,
    say: notice,
    explain,
  })
  const observer = new Observer({
    ready: () => reporter.task !== undefined,
    tell: observed => tell('observations', ofAttempt(observed)),
    isRefusal,
    say,
  })
  const marks = new Marks(observer)
  const output = new Output({
    lines: streaming ? stream.outbox : undefined,
    logLevel: config.logLevel,
    secrets,
    marks,
    passThrough: spec.passThrough,
  })
  const interaction = new Interaction(spec.interaction, {
    say,
    hide: text => void secrets.add(text, 'the input'),
    taken: id => stream.sender.inputTaken(id),
    report: waiting => tell('waiting', secrets.report({ agentId, ...waiting })),
    noTerminal: warn,
  })
  addAgentSecrets(secrets, config)
  secrets.addVariables({ ...env, ...claimed?.env })

  function say(level: number, message: string): void {
    if (streaming) stream.outbox.say(level, secrets.text(message))
  }

  function warn(message: string): void {
    say(2, message)
    context.warn(message)
  }

  async function tell(verb: string, body: unknown): Promise<void> {
    const api = await context.api()
    const call = { idempotent: true, retries: 0 }
    await api.post(`/tasks/${encodeURIComponent(taskId)}/${verb}`, body, call)
  }

  function ofAttempt({ steps, metrics }: Observations): Observations {
    const attempt = reporter.task?.attempt
    return {
      steps: steps.map(step => ({ ...step, attempt })),
      metrics: metrics.map(metric => ({ ...metric, attempt })),
    }
  }

  return { context, secrets, reporter, stream, observer, marks, output, interaction, say, tell, ofAttempt }
}
