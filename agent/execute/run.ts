import type { TaskStatus } from '#protocol/task.ts'
import { isEmpty } from '../artifacts/run-folder.ts'
import type { Context } from '../context.ts'
import type { GivenInput } from '../input/dialog.ts'
import { startHeartbeat } from './heartbeat.ts'
import { type OpenRun, openRun } from './open-run.ts'
import { isFinal, isMendable, type Outcome } from './outcome.ts'
import type { RunSpec } from './run-spec.ts'
import { ScriptRun } from './script-run.ts'
import type { Stopper } from './stopper.ts'

/** One run of one task, in three stages. The server may be away all the time: the script does not notice. */
export class TaskRun {
  readonly #spec: RunSpec
  readonly #stopper: Stopper
  readonly #open: OpenRun
  readonly #script: ScriptRun
  #stopBeating: () => void = () => {}

  constructor(context: Context, spec: RunSpec, stopper: Stopper) {
    this.#spec = spec
    this.#stopper = stopper
    this.#open = openRun(context, spec, stopper)
    this.#script = new ScriptRun(this.#open, spec, stopper)
  }

  /** Whether the server has heard of the run. */
  get reached(): boolean {
    return this.#open.reporter.task !== undefined
  }

  /**
   * Tells the start. Where the server cannot be reached it is told in the background.
   * @throws CommandError where the server says that this task may not be started
   */
  async begin(): Promise<void> {
    const { agentId, target, timeoutMs = Number.POSITIVE_INFINITY } = this.#spec
    const { name, script } = target
    const { sessionId } = this.#open.context.config
    const interactive = this.#spec.interaction.input
    await this.#open.reporter.start(
      this.#open.secrets.report({ agentId, name, script, sessionId, heartbeat: true, interactive }),
      this.#open.stream,
    )
    const { path, isOwn } = this.#spec.artifacts
    this.#open.stream.note({ folder: { path, isOwn, since: Date.now() } })
    this.#open.stream.sender.start()
    this.#stopBeating = this.#heartbeat()
    const limit = Math.min(
      timeoutMs,
      (this.#open.reporter.task?.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000,
    )
    if (limit < Number.POSITIVE_INFINITY) this.#stopper.limit(limit)
  }

  /** Runs the script to its end, whatever that is. */
  async carryOut(): Promise<Outcome> {
    const outcome = await this.#script.run()
    this.#open.interaction.end()
    const { resources } = this.#script
    if (outcome.entry) outcome.entry.message = this.#open.secrets.text(outcome.entry.message)
    if (outcome.stopped || outcome.notStarted) this.#open.context.warn(outcome.entry!.message)
    if (outcome.entry) this.#open.say(outcome.entry.level, outcome.entry.message)
    for (const end of Object.values(outcome.finish)) Object.assign(end, this.#open.secrets.report(end))
    if ('success' in outcome.finish) outcome.finish.success.resources = resources
    if ('fail' in outcome.finish) outcome.finish.fail.resources = resources
    if ('fail' in outcome.finish && this.#open.context.config.autoFix && isMendable(outcome))
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
      this.#open.stream.note({ keeps, folder: undefined })
      const hurried = hurry.aborted ? 0 : Math.min(OBSERVATIONS_MS, this.#spec.drainMs)
      const failed = !('success' in outcome.finish)
      const observations = await this.#open.observer.end(
        this.#open.marks.close(),
        failed,
        Date.now(),
        hurried,
      )
      if (observations) this.#open.stream.note({ observations: this.#open.ofAttempt(observations) })
      return await this.#open.reporter.finish(outcome.finish, this.#open.stream, this.#spec.drainMs, hurry)
    } finally {
      this.#close()
    }
  }

  /** What the server has made of its end: the script's own word, or an operator's, comes before the exit code. */
  get endedAs(): TaskStatus | undefined {
    return this.#open.reporter.endedAs
  }

  /** Leaves what is not told to the spool, where something has failed that never should: nobody may wait for this run. */
  abandon(): void {
    this.#close()
    this.#open.stream.close(false)
  }

  /**
   * Gives input to the script, as the server's. Resolves when the script can read it.
   * @throws Error that says why it takes none
   */
  give(input: GivenInput): Promise<void> {
    return this.#open.interaction.give(input)
  }

  #close(): void {
    this.#stopBeating()
    this.#script.close()
  }

  #heartbeat(): () => void {
    const { stream, context, tell } = this.#open
    return startHeartbeat({
      connected: () => stream.sender.connected || !this.reached,
      beat: () => tell('heartbeat', { agentId: this.#spec.agentId }),
      onLost: () => this.#stopper.disown(),
      explain: context.explain,
    })
  }

  async #uploadArtifacts({ finish }: Outcome, signal: AbortSignal): Promise<boolean> {
    const { artifacts: folder, drainMs: patienceMs, taskId } = this.#spec
    // Should this agent die from here on, the next one tells how the script ended.
    this.#open.stream.note({ finish })
    const { uploadAfterRun } = await import('../artifacts/after-run.ts')
    return await uploadAfterRun(this.#open.context, {
      task: `/tasks/${encodeURIComponent(taskId)}`,
      folder,
      spool: this.#open.stream.dir,
      secrets: this.#open.secrets,
      patienceMs,
      signal,
      say: (level, message) => this.#open.say(level, message),
    })
  }
}

/** How long the task's end waits for what its steps and metrics are. */
const OBSERVATIONS_MS = 2000
