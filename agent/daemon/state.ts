import type { ClaimedTask } from '#protocol/session.ts'
import type { GivenInput } from '../input/dialog.ts'

/** Something that takes input for its script. @throws Error that says why it takes none */
interface Answerable {
  give(input: GivenInput): Promise<void>
}

/** What a daemon is doing now, as its HTTP API shows it. */
export class DaemonState {
  readonly startedAt = new Date().toISOString()
  readonly counts = { completed: 0, failed: 0, cancelled: 0, handedBack: 0 }
  sessionId: string
  /** Whether the server would wake it. */
  connected = false
  /** Why the server cannot be asked for tasks now. */
  trouble: string | undefined
  /** Why it ends. */
  ending: string | undefined
  #task: ClaimedTask | undefined
  #since: string
  #run: Answerable | undefined

  constructor(sessionId: string) {
    this.sessionId = sessionId
    this.#since = this.startedAt
  }

  begin(task: ClaimedTask): void {
    this.#task = task
    this.#since = new Date().toISOString()
  }

  /** The task can be given input from now on. */
  attach(run: Answerable): void {
    this.#run = run
  }

  end(): void {
    this.#task = undefined
    this.#run = undefined
    this.#since = new Date().toISOString()
  }

  get current(): { taskId: string; run: Answerable | undefined } | undefined {
    return this.#task && { taskId: this.#task.id, run: this.#run }
  }

  /** For `GET /status`. */
  describe() {
    const task = this.#task
    return {
      status: this.ending === undefined ? (task ? 'RUNNING' : 'IDLE') : 'ENDING',
      /** Of the status: since when. */
      since: this.#since,
      sessionId: this.sessionId,
      task: task ? { id: task.id, name: task.name, attempt: task.attempt } : null,
      counts: this.counts,
      server: { connected: this.connected, trouble: this.trouble ?? null },
      ending: this.ending ?? null,
      startedAt: this.startedAt,
    }
  }
}
