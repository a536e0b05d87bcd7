import type { ServerFrame } from '#protocol/frames.ts'
import type { TaskInput } from '#protocol/task-calls.ts'

/** What is typed to running scripts, as far as a connection needs it. */
export interface WaitingInputs {
  /** What the run of this agent has not taken yet, in the order it came; nothing where the run is not its own. */
  pending(taskId: string, agentId: string): Promise<TaskInput[]>
  /** @param sentAt when it was sent to the agent, ms */
  taken(taskId: string, agentId: string, inputId: string, sentAt: number): Promise<void>
}

const RETRY_MS = 1000

/** Gives an agent what is typed to its script: each input once over a connection, in the order it came. */
export class SocketInbox {
  readonly #taskId: string
  readonly #inputs: WaitingInputs
  readonly #send: (frame: ServerFrame) => void
  readonly #now: () => number
  /** When each was sent, ms. */
  readonly #sentAt = new Map<string, number>()
  #agentId: string | undefined
  #delivering = false
  #again = false
  #closed = false

  constructor(
    taskId: string,
    inputs: WaitingInputs,
    send: (frame: ServerFrame) => void,
    now: () => number = Date.now,
  ) {
    this.#taskId = taskId
    this.#inputs = inputs
    this.#send = send
    this.#now = now
  }

  hello(agentId: string): void {
    this.#agentId = agentId
    this.deliver()
  }

  /** Something may be there. */
  deliver(): void {
    if (this.#agentId === undefined || this.#closed) return
    this.#again = true
    if (!this.#delivering) void this.#deliver(this.#agentId)
  }

  taken(inputId: string): void {
    if (this.#agentId === undefined) return
    this.#take(this.#agentId, inputId, this.#sentAt.get(inputId) ?? Number.NEGATIVE_INFINITY)
  }

  close(): void {
    this.#closed = true
  }

  async #deliver(agentId: string): Promise<void> {
    this.#delivering = true
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        const pending = await this.#inputs.pending(this.#taskId, agentId)
        const ids = new Set(pending.map(({ id }) => id))
        for (const id of this.#sentAt.keys()) if (!ids.has(id)) this.#sentAt.delete(id)
        for (const { createdAt: _, ...input } of pending) {
          if (this.#sentAt.has(input.id)) continue
          this.#sentAt.set(input.id, this.#now())
          this.#send({ type: 'input', ...input })
        }
      }
    } catch {
      this.#later(() => this.deliver())
    } finally {
      this.#delivering = false
    }
  }

  #take(agentId: string, inputId: string, sentAt: number): void {
    this.#inputs
      .taken(this.#taskId, agentId, inputId, sentAt)
      .catch(() => this.#later(() => this.#take(agentId, inputId, sentAt)))
  }

  /** The store is away; after the connection's end the next one begins anew. */
  #later(again: () => void): void {
    setTimeout(() => this.#closed || again(), RETRY_MS).unref()
  }
}
