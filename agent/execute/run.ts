import { LEVELS } from '#protocol/levels.ts'
import { SourceCapture } from '../capture/capture.ts'
import { Child, type ChildEnd } from '../capture/child.ts'
import { Passthrough } from '../capture/passthrough.ts'
import type { TaggedSink } from '../capture/tagged.ts'
import type { Target } from '../capture/target.ts'
import type { Context } from '../context.ts'
import { deliverInPassing } from '../delivery/abandoned.ts'
import { LogStream } from '../delivery/log-stream.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { childEnvironment } from './environment.ts'
import { notStarted, type Outcome, outcomeOf } from './outcome.ts'
import { Reporter } from './reporter.ts'
import { Stopper } from './stopper.ts'

export interface Run {
  taskId: string
  target: Target
  streaming: boolean
  timeoutMs: number | undefined
  graceMs: number
  drainMs: number
}

/** Runs one task from start to end. The server may be away all the time: the script does not notice. @returns the exit code */
export async function runTask(context: Context, run: Run): Promise<number> {
  const stopper = new Stopper(run.graceMs)
  let child: Child | undefined
  let captures: SourceCapture[] = []
  const pause = (reason: string, stop: boolean) => {
    child?.pause(reason, stop)
    for (const capture of captures) capture.hold(child?.paused ?? false)
  }
  const reporter = new Reporter(context, run.taskId)
  const stream = run.streaming
    ? new LogStream(streamSettings(context.config), run.taskId, () => reporter.token, {
        cancel: () => stopper.cancel(),
        pressure: stop => pause('spool', stop),
        warn: context.warn,
        say: context.say,
        explain: context.explain,
      })
    : undefined
  await reporter.start(run.target, stream)
  stream?.sender.start()

  const env = childEnvironment(context.config, run.taskId, reporter.token)
  const minLevel =
    context.config.logLevel === undefined
      ? 0
      : LEVELS.indexOf(context.config.logLevel as (typeof LEVELS)[number])
  if (stream) captures = ([0, 1] as const).map(source => new SourceCapture(stream.outbox, source, minLevel))
  const passes = context.config.quiet
    ? []
    : [1, 2].map(fd => new Passthrough(fd, stop => pause(`fd${fd}`, stop)))
  let outcome: Outcome
  try {
    const { file, args } = run.target
    child = await Child.start({ file, args, env, cwd: context.config.workingDir }, (source, chunk) => {
      passes[source]?.write(chunk)
      captures[source]?.push(chunk)
    })
    stopper.attach(child, run.timeoutMs)
    const end = await child.ended
    outcome = outcomeOf(end, stopper.release(), new Date().toISOString())
    if (outcome.stopped) context.warn(outcome.entry!.message)
    for (const capture of captures) capture.end()
    if (stream) explainEnd(stream.outbox, end, captures, context)
  } catch (error) {
    stopper.release()
    outcome = notStarted(error as NodeJS.ErrnoException, run.target.file, new Date().toISOString())
    context.warn(outcome.entry!.message)
  }
  if (outcome.entry) stream?.outbox.say(outcome.entry.level, outcome.entry.message)
  await reporter.finish(outcome.finish, stream, run.drainMs)
  if (reporter.reached) await deliverInPassing(context)
  return outcome.exitCode
}

function explainEnd(
  outbox: TaggedSink & { say(level: number, message: string): void },
  end: ChildEnd,
  captures: SourceCapture[],
  context: Context,
): void {
  if (end.abandoned) {
    const message =
      'processes that the script left behind still hold its output; what they print from now on is not recorded'
    outbox.say(2, message)
    context.say(message)
  }
  const skipped = captures.reduce((sum, capture) => sum + capture.skipped, 0)
  if (skipped > 0)
    outbox.say(1, `${skipped} lines below ${context.config.logLevel} were not sent (--log-level)`)
}
