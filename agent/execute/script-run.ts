import { Child, type ChildEnd } from '../capture/child.ts'
import { guard } from '../capture/guardian.ts'
import type { Target } from '../capture/target.ts'
import type { Environment } from '../config.ts'
import { ownerOf } from '../delivery/meta.ts'
import { RUN_SOCKET } from '../run-socket.ts'
import { fetchAutoFix } from './auto-fix.ts'
import { childEnvironment } from './environment.ts'
import type { OpenRun } from './open-run.ts'
import { notPrepared, notStarted, type Outcome, outcomeOf } from './outcome.ts'
import { PrepareError, type Stage } from './prepare.ts'
import type { RunSpec } from './run-spec.ts'
import { listenToScript } from './script-requests.ts'
import { deathOfScript, StartError, startFailure, unknownFailure } from './start-failure.ts'
import type { Stopper } from './stopper.ts'
import { Usage } from './usage.ts'

/** The script of a run, and what is run before it to prepare for it. */
export class ScriptRun {
  readonly #open: OpenRun
  readonly #spec: RunSpec
  readonly #stopper: Stopper
  readonly #usage = new Usage()
  readonly #cleanups: (() => void)[] = []
  #env: Environment = {}

  constructor(open: OpenRun, spec: RunSpec, stopper: Stopper) {
    this.#open = open
    this.#spec = spec
    this.#stopper = stopper
  }

  /** What it has used up to now. */
  get resources(): Usage['resources'] {
    return this.#usage.resources
  }

  /** Runs it to its end, whatever that is. */
  async run(): Promise<Outcome> {
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

  /** Removes what the script alone needed. */
  close(): void {
    for (const clean of this.#cleanups) clean()
  }

  async #runChild({ file, args }: Pick<Target, 'file' | 'args'>, cwd: string | undefined): Promise<ChildEnd> {
    const interaction = this.#open.interaction
    const spec = {
      file,
      args,
      cwd: cwd ?? this.#open.context.config.workingDir,
      ...interaction.prepare(this.#env),
    }
    const child = await Child.start(spec, (source, chunk) => {
      this.#open.output.push(source, chunk)
      interaction.heard(source, chunk)
    }).catch(error => {
      throw new StartError(startFailure(error, { file, cwd: spec.cwd, path: this.#env.PATH }))
    })
    this.#open.stream.note({ child: ownerOf(child.pid) })
    const letGo = guard(child.pid)
    this.#open.output.attach(child)
    this.#stopper.attach(child)
    this.#usage.attach(child.pid)
    interaction.attach(child)
    const end = await child.ended
    letGo()
    this.#usage.attach(undefined)
    interaction.detach()
    this.#stopper.attach(undefined)
    this.#open.output.end()
    this.#open.stream.note({ child: undefined })
    return end
  }

  async #environment(): Promise<Environment> {
    const { taskId, env } = this.#spec
    const { task, token } = this.#open.reporter
    const own = { ...env, ...task?.env }
    if (task?.autoFixOf) {
      const fix = await fetchAutoFix(this.#open.context, taskId)
      Object.assign(own, fix.env)
      this.#cleanups.push(fix.remove)
    }
    const { path: artifactsDir } = this.#spec.artifacts
    const environment = childEnvironment(this.#open.context.config, taskId, token, own, artifactsDir)
    if (task) environment.KERUTA_ATTEMPT = String(task.attempt)
    if (token !== undefined) this.#open.secrets.add(token, "the task's token")
    this.#open.secrets.addVariables(own)
    const listener = await listenToScript(this.#open.secrets, this.#open.observer)
    environment[RUN_SOCKET] = listener?.path
    if (listener) this.#cleanups.push(() => listener.close())
    return environment
  }

  #stage(): Stage {
    return {
      env: this.#env,
      signal: this.#stopper.signal,
      say: (level, message) => this.#open.say(level, message),
      run: (target, cwd) => this.#runChild(target, cwd),
    }
  }

  #explainEnd(end: ChildEnd): void {
    const { streaming } = this.#spec
    if (streaming && end.abandoned) {
      const message =
        'processes that the script left behind still hold its output; what they print from now on is not recorded'
      this.#open.say(2, message)
      this.#open.context.say(message)
    }
    const { skipped } = this.#open.output
    if (skipped > 0)
      this.#open.say(
        1,
        `${skipped} lines below ${this.#open.context.config.logLevel} were not sent (--log-level)`,
      )
  }
}

/** A run that was stopped before its script began. */
const NOT_BEGUN: ChildEnd = { code: null, signal: 'SIGTERM', abandoned: false }
