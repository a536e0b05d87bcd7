import type { Waiting } from '#protocol/task-calls.ts'
import type { WaitingState } from './waiting-watch.ts'

const RETRY_MS = 2000

/** Tells the server whether a script waits for input: what holds now, once it can be reached. */
export class WaitingReport {
  readonly #post: (body: Pick<Waiting, 'prompt' | 'secret'>) => Promise<unknown>
  #wanted: WaitingState | undefined
  #version = 0
  #toldVersion = 0
  #busy = false
  #stopped = false

  constructor(post: (body: Pick<Waiting, 'prompt' | 'secret'>) => Promise<unknown>) {
    this.#post = post
  }

  tell(state: WaitingState | undefined): void {
    this.#wanted = state
    this.#version++
    if (!this.#busy) void this.#run()
  }

  /** The task's end says the rest. */
  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    this.#busy = true
    while (this.#toldVersion < this.#version && !this.#stopped) {
      const version = this.#version
      const { prompt, secret } = this.#wanted ?? { prompt: null, secret: false }
      try {
        await this.#post({ prompt, secret })
        this.#toldVersion = version
      } catch {
        // The server is away, or has not heard of the run yet.
        await new Promise(resolve => setTimeout(resolve, RETRY_MS).unref())
      }
    }
    this.#busy = false
  }
}
