import { Child, type ChildEnd } from '../capture/child.ts'
import type { Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { LogStream } from '../delivery/log-stream.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { childEnvironment } from './environment.ts'
import { notStarted, type Outcome, outcomeOf } from './outcome.ts'
import { Output } from './output.ts'
import { Reporter } from './reporter.ts'
import type { Stopper } from './stopper.ts'

/** What is to be run, and how. */
export interface RunSpec {
  taskId: string
  /** Names this run, also among those of this agent. */
  agentId: string
  target: Target
  /** Variables beside the agent's own. */
  env: Environment
  /** Default: the settings' working directory. */
  cwd?: string
  stdin: 'inherit' | 'ignore'
  /** Whether the output also goes to this process's own. */
  passThrough: boolean
  /** False: only start and end are told. */
  streaming: boolean
  timeoutMs: number | undefined
  /** How long the end waits for the server; longer while it makes progress. */
  drainMs: number
}

/** One run of one task, in three stages. The server may be away all the time: the script does not notice. */
export class TaskRun {
  readonly #context: Context
  readonly #spec: RunSpec
  readonly #stopper: Stopper
  readonly #reporter: Reporter
  readonly #stream: LogStream | undefined
  readonly #output: Output

  constructor(context: Context, spec: RunSpec, stopper: Stopper) {
    this.#context = context
    this.#spec = spec
    this.#stopper = stopper
    this.#reporter = new Reporter(context, spec.taskId, spec.agentId)
    this.#stream = spec.streaming ? this.#openStream() : undefined
    this.#output = new Output({
      lines: this.#stream?.outbox,
      logLevel: context.config.logLevel,
      passThrough: spec.passThrough,
    })
  }

  /** Whether the server has heard of the run. */
  get reached(): boolean {
    return this.#reporter.reached
  }

  /**
   * Tells the start. Where the server cannot be reached it is told in the background.
   * @throws CommandError where the server says that this task may not be started
   */
  async begin(): Promise<void> {
    await this.#reporter.start(this.#spec.target, this.#stream)
    this.#stream?.sender.start()
    if (this.#spec.timeoutMs !== undefined) this.#stopper.limit(this.#spec.timeoutMs)
  }

  /** Runs the script to its end, whatever that is. */
  async carryOut(): Promise<Outcome> {
    const outcome = await this.#runTarget()
    if (outcome.stopped || outcome.notStarted) this.#context.warn(outcome.entry!.message)
    if (outcome.entry) this.#stream?.outbox.say(outcome.entry.level, outcome.entry.message)
    return outcome
  }

  /** Tells the end, after the lines, and leaves to the spool what cannot be told in time. */
  async finish(outcome: Outcome): Promise<void> {
    await this.#reporter.finish(outcome.finish, this.#stream, this.#spec.drainMs)
  }

  async #runTarget(): Promise<Outcome> {
    const { file, args } = this.#spec.target
    try {
      const end = await this.#runChild(file, args)
      const outcome = outcomeOf(end, this.#stopper.release(), new Date().toISOString())
      this.#explainEnd(end)
      return outcome
    } catch (error) {
      this.#stopper.release()
      return notStarted(error as NodeJS.ErrnoException, file, new Date().toISOString())
    }
  }

  async #runChild(file: string, args: string[]): Promise<ChildEnd> {
    const { cwd = this.#context.config.workingDir, stdin } = this.#spec
    const env = this.#environment()
    const child = await Child.start({ file, args, env, cwd, stdin }, (source, chunk) =>
      this.#output.push(source, chunk),
    )
    this.#output.attach(child)
    this.#stopper.attach(child)
    const end = await child.ended
    this.#stopper.attach(undefined)
    this.#output.end()
    return end
  }

  #environment(): Environment {
    const { taskId, env } = this.#spec
    return childEnvironment(this.#context.config, taskId, this.#reporter.token, env)
  }

  #openStream(): LogStream {
    const { config, warn, say, explain } = this.#context
    const { taskId, agentId } = this.#spec
    return new LogStream(
      streamSettings(config),
      { taskId, agentId, token: () => this.#reporter.token },
      {
        cancel: () => this.#stopper.cancel(),
        pressure: stop => this.#output.pressure(stop),
        warn,
        say,
        explain,
      },
    )
  }

  #explainEnd(end: ChildEnd): void {
    const outbox = this.#stream?.outbox
    if (outbox && end.abandoned) {
      const message =
        'processes that the script left behind still hold its output; what they print from now on is not recorded'
      outbox.say(2, message)
      this.#context.say(message)
    }
    if (outbox && this.#output.skipped > 0)
      outbox.say(
        1,
        `${this.#output.skipped} lines below ${this.#context.config.logLevel} were not sent (--log-level)`,
      )
  }
}
