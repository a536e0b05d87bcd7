import type { Observations, TaskStatus } from '#protocol/task.ts'
import { isEmpty } from '../artifacts/run-folder.ts'
import { Child, type ChildEnd } from '../capture/child.ts'
import { guard } from '../capture/guardian.ts'
import { Marks } from '../capture/marks.ts'
import type { Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { LogStream } from '../delivery/log-stream.ts'
import { ownerOf } from '../delivery/meta.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import type { GivenInput } from '../input/dialog.ts'
import { Interaction } from '../input/interaction.ts'
import { addAgentSecrets, withoutSecrets } from '../mask/open.ts'
import { Secrets } from '../mask/secrets.ts'
import { RUN_SOCKET } from '../run-socket.ts'
import { fetchAutoFix } from './auto-fix.ts'
import { childEnvironment } from './environment.ts'
import { startHeartbeat } from './heartbeat.ts'
import { Observer } from './observer.ts'
import { isFinal, isMendable, notPrepared, notStarted, type Outcome, outcomeOf } from './outcome.ts'
import { Output } from './output.ts'
import { PrepareError, type Stage } from './prepare.ts'
import { isRefusal, Reporter } from './reporter.ts'
import type { RunSpec } from './run-spec.ts'
import { listenToScript } from './script-requests.ts'
import { deathOfScript, StartError, startFailure, unknownFailure } from './start-failure.ts'
import type { Stopper } from './stopper.ts'
import { Usage } from './usage.ts'

/** One run of one task, in three stages. The server may be away all the time: the script does not notice. */
export class TaskRun {
  readonly #context: Context
  readonly #spec: RunSpec
  readonly #stopper: Stopper
  readonly #secrets: Secrets
  readonly #reporter: Reporter
  readonly #stream: LogStream
  readonly #observer: Observer
  readonly #marks: Marks
  readonly #output: Output
  readonly #usage = new Usage()
  readonly #interaction: Interaction
  readonly #cleanups: (() => void)[] = []
  #env: Environment = {}

  constructor(context: Context, spec: RunSpec, stopper: Stopper) {
    this.#secrets = new Secrets(message => this.#warn(message))
    this.#context = withoutSecrets(context, this.#secrets)
    this.#spec = spec
    this.#stopper = stopper
    const { taskId, agentId, claimed, streaming } = spec
    const onLost = () => stopper.disown()
    this.#reporter = new Reporter(this.#context, { taskId, agentId, claimed, streaming, onLost })
    this.#stream = this.#openStream()
    this.#observer = this.#openObserver()
    this.#marks = new Marks(this.#observer)
    this.#output = new Output({
      lines: streaming ? this.#stream.outbox : undefined,
      logLevel: context.config.logLevel,
      secrets: this.#secrets,
      marks: this.#marks,
      passThrough: spec.passThrough,
    })
    this.#interaction = this.#openInteraction()
    addAgentSecrets(this.#secrets, context.config)
    this.#secrets.addVariables({ ...spec.env, ...claimed?.env })
  }

  /** Whether the server has heard of the run. */
  get reached(): boolean {
    return this.#reporter.task !== undefined
  }

  /**
   * Tells the start. Where the server cannot be reached it is told in the background.
   * @throws CommandError where the server says that this task may not be started
   */
  async begin(): Promise<void> {
    const { agentId, target, timeoutMs = Number.POSITIVE_INFINITY } = this.#spec
    const { name, script } = target
    const { sessionId } = this.#context.config
    const interactive = this.#spec.interaction.input
    await this.#reporter.start(
      this.#secrets.report({ agentId, name, script, sessionId, heartbeat: true, interactive }),
      this.#stream,
    )
    const { path, isOwn } = this.#spec.artifacts
    this.#stream.note({ folder: { path, isOwn, since: Date.now() } })
    this.#stream.sender.start()
    this.#cleanups.push(this.#heartbeat())
    const limit = Math.min(
      timeoutMs,
      (this.#reporter.task?.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000,
    )
    if (limit < Number.POSITIVE_INFINITY) this.#stopper.limit(limit)
  }

  /** Runs the script to its end, whatever that is. */
  async carryOut(): Promise<Outcome> {
    const outcome = await this.#runTarget()
    this.#interaction.end()
    if (outcome.entry) outcome.entry.message = this.#secrets.text(outcome.entry.message)
    if (outcome.stopped || outcome.notStarted) this.#context.warn(outcome.entry!.message)
    if (outcome.entry) this.#say(outcome.entry.level, outcome.entry.message)
    for (const end of Object.values(outcome.finish)) Object.assign(end, this.#secrets.report(end))
    if ('success' in outcome.finish) outcome.finish.success.resources = this.#usage.resources
    if ('fail' in outcome.finish) outcome.finish.fail.resources = this.#usage.resources
    if ('fail' in outcome.finish && this.#context.config.autoFix && isMendable(outcome))
      outcome.finish.fail.autoFix = true
    return outcome
  }

  /**
   * Tells the end, after the lines, and leaves to the spool what cannot be told in time.
   * @param hurry leaves it to the spool at once
   * @returns whether the server has it all
   */
  async finish(outcome: Outcome, hurry: AbortSignal): Promise<boolean> {
    try {
      const keeps =
        isFinal(outcome) && !isEmpty(this.#spec.artifacts) && (await this.#uploadArtifacts(outcome, hurry))
      this.#stream.note({ keeps, folder: undefined })
      const hurried = hurry.aborted ? 0 : Math.min(OBSERVATIONS_MS, this.#spec.drainMs)
      const failed = !('success' in outcome.finish)
      const observations = await this.#observer.end(this.#marks.close(), failed, Date.now(), hurried)
      if (observations) this.#stream.note({ observations: this.#ofAttempt(observations) })
      return await this.#reporter.finish(outcome.finish, this.#stream, this.#spec.drainMs, hurry)
    } finally {
      for (const clean of this.#cleanups) clean()
    }
  }

  /** What the server has made of its end: the script's own word, or an operator's, comes before the exit code. */
  get endedAs(): TaskStatus | undefined {
    return this.#reporter.endedAs
  }

  /** Leaves what is not told to the spool, where something has failed that never should: nobody may wait for this run. */
  abandon(): void {
    for (const clean of this.#cleanups) clean()
    this.#stream.close(false)
  }

  /**
   * Gives input to the script, as the server's. Resolves when the script can read it.
   * @throws Error that says why it takes none
   */
  give(input: GivenInput): Promise<void> {
    return this.#interaction.give(input)
  }

  async #runTarget(): Promise<Outcome> {
    const { target, prepare } = this.#spec
    const now = () => new Date().toISOString()
    try {
      this.#env = await this.#environment()
      const prepared = await prepare?.(this.#stage())
      const script = prepared?.target ?? target
      const end = this.#stopper.signal.aborted ? NOT_BEGUN : await this.#runChild(script, prepared?.cwd)
      const outcome = outcomeOf(end, this.#stopper.release(), now(), deathOfScript(script.path, end.code))
      this.#explainEnd(end)
      return outcome
    } catch (error) {
      const about = this.#stopper.release()
      if (this.#stopper.signal.aborted) return outcomeOf(NOT_BEGUN, about, now())
      if (error instanceof PrepareError) return notPrepared(error.errorCode, error.message, now())
      return notStarted(error instanceof StartError ? error.failure : unknownFailure(error), now())
    }
  }

  async #runChild({ file, args }: Pick<Target, 'file' | 'args'>, cwd: string | undefined): Promise<ChildEnd> {
    const interaction = this.#interaction
    const spec = {
      file,
      args,
      cwd: cwd ?? this.#context.config.workingDir,
      ...interaction.prepare(this.#env),
    }
    const child = await Child.start(spec, (source, chunk) => {
      this.#output.push(source, chunk)
      interaction.heard(source, chunk)
    }).catch(error => {
      throw new StartError(startFailure(error, { file, cwd: spec.cwd, path: this.#env.PATH }))
    })
    this.#stream.note({ child: ownerOf(child.pid) })
    const letGo = guard(child.pid)
    this.#output.attach(child)
    this.#stopper.attach(child)
    this.#usage.attach(child.pid)
    interaction.attach(child)
    const end = await child.ended
    letGo()
    this.#usage.attach(undefined)
    interaction.detach()
    this.#stopper.attach(undefined)
    this.#output.end()
    this.#stream.note({ child: undefined })
    return end
  }

  async #environment(): Promise<Environment> {
    const { taskId, env } = this.#spec
    const { task, token } = this.#reporter
    const own = { ...env, ...task?.env }
    if (task?.autoFixOf) {
      const fix = await fetchAutoFix(this.#context, taskId)
      Object.assign(own, fix.env)
      this.#cleanups.push(fix.remove)
    }
    const { path: artifactsDir } = this.#spec.artifacts
    const environment = childEnvironment(this.#context.config, taskId, token, own, artifactsDir)
    if (task) environment.KERUTA_ATTEMPT = String(task.attempt)
    if (token !== undefined) this.#secrets.add(token, "the task's token")
    this.#secrets.addVariables(own)
    const listener = await listenToScript(this.#secrets, this.#observer)
    environment[RUN_SOCKET] = listener?.path
    if (listener) this.#cleanups.push(() => listener.close())
    return environment
  }

  #stage(): Stage {
    return {
      env: this.#env,
      signal: this.#stopper.signal,
      say: (level, message) => this.#say(level, message),
      run: (target, cwd) => this.#runChild(target, cwd),
    }
  }

  #openStream(): LogStream {
    const { config, warn, say, explain } = this.#context
    const { taskId, agentId } = this.#spec
    return new LogStream(
      streamSettings(config),
      { taskId, agentId, token: () => this.#reporter.token },
      {
        cancel: () => this.#stopper.cancel(),
        input: input => this.#interaction.take(input),
        lost: () => this.#stopper.disown(),
        pressure: stop => this.#output.pressure(stop),
        warn,
        say,
        explain,
      },
    )
  }

  #openInteraction(): Interaction {
    const { taskId, agentId, interaction } = this.#spec
    return new Interaction(interaction, {
      say: (level, message) => this.#say(level, message),
      hide: text => void this.#secrets.add(text, 'the input'),
      taken: id => this.#stream.sender.inputTaken(id),
      report: async waiting => {
        const api = await this.#context.api()
        await api.post(
          `/tasks/${encodeURIComponent(taskId)}/waiting`,
          this.#secrets.report({ agentId, ...waiting }),
          { idempotent: true, retries: 0 },
        )
      },
      noTerminal: message => this.#warn(message),
    })
  }

  #heartbeat(): () => void {
    const { taskId, agentId } = this.#spec
    return startHeartbeat({
      connected: () => this.#stream.sender.connected || !this.reached,
      beat: async () => {
        const api = await this.#context.api()
        await api.post(`/tasks/${encodeURIComponent(taskId)}/heartbeat`, { agentId }, { retries: 0 })
      },
      onLost: () => this.#stopper.disown(),
      explain: this.#context.explain,
    })
  }

  #say(level: number, message: string): void {
    if (this.#spec.streaming) this.#stream.outbox.say(level, this.#secrets.text(message))
  }

  #warn(message: string): void {
    this.#say(2, message)
    this.#context.warn(message)
  }

  #openObserver(): Observer {
    return new Observer({
      ready: () => this.reached,
      tell: async observed => {
        const api = await this.#context.api()
        const path = `/tasks/${encodeURIComponent(this.#spec.taskId)}/observations`
        await api.post(path, this.#ofAttempt(observed), { idempotent: true, retries: 0 })
      },
      isRefusal,
      say: (level, message) => this.#say(level, message),
    })
  }

  /** Named as this run's: another one may have begun by the time they are told. */
  #ofAttempt({ steps, metrics }: Observations): Observations {
    const attempt = this.#reporter.task?.attempt
    return {
      steps: steps.map(step => ({ ...step, attempt })),
      metrics: metrics.map(metric => ({ ...metric, attempt })),
    }
  }

  async #uploadArtifacts({ finish }: Outcome, signal: AbortSignal): Promise<boolean> {
    const { artifacts: folder, drainMs: patienceMs, taskId } = this.#spec
    // Should this agent die from here on, the next one tells how the script ended.
    this.#stream.note({ finish })
    const { uploadAfterRun } = await import('../artifacts/after-run.ts')
    return await uploadAfterRun(this.#context, {
      task: `/tasks/${encodeURIComponent(taskId)}`,
      folder,
      spool: this.#stream.dir,
      secrets: this.#secrets,
      patienceMs,
      signal,
      say: (level, message) => this.#say(level, message),
    })
  }

  #explainEnd(end: ChildEnd): void {
    const { streaming } = this.#spec
    if (streaming && end.abandoned) {
      const message =
        'processes that the script left behind still hold its output; what they print from now on is not recorded'
      this.#say(2, message)
      this.#context.say(message)
    }
    const { skipped } = this.#output
    if (skipped > 0)
      this.#say(1, `${skipped} lines below ${this.#context.config.logLevel} were not sent (--log-level)`)
  }
}

/** How long the task's end waits for what its steps and metrics are. */
const OBSERVATIONS_MS = 2000

/** A run that was stopped before its script began. */
const NOT_BEGUN: ChildEnd = { code: null, signal: 'SIGTERM', abandoned: false }
