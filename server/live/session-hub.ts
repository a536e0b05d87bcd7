import type { Session } from '#protocol/session.ts'

/** What an agent that waits for work is told of its session. */
export type SessionEvent =
  /** A task may wait. */
  { kind: 'work' } | { kind: 'status'; status: Session['status'] } | { kind: 'deleted' }

/** How a session is now: its status, and whether a task waits that can be run. */
export interface SessionState {
  status: Session['status']
  work: boolean
}

export interface SessionHubOptions {
  /** As the store has it; undefined where it is not there. */
  state(sessionId: string): Promise<SessionState | undefined>
}

/** The agents that wait on this server, by session. */
export class SessionHub {
  readonly #options: SessionHubOptions
  readonly #watchers = new Map<string, Set<(event: SessionEvent) => void>>()

  constructor(options: SessionHubOptions) {
    this.#options = options
  }

  /** Undefined where the session is not there. */
  state(sessionId: string): Promise<SessionState | undefined> {
    return this.#options.state(sessionId)
  }

  notify(sessionId: string, event: SessionEvent): void {
    for (const watcher of this.#watchers.get(sessionId) ?? []) watcher(event)
  }

  /** Looks into the store for what nobody told of. */
  async missed(): Promise<void> {
    await Promise.all(
      [...this.#watchers.keys()].map(async sessionId => {
        const state = await this.state(sessionId)
        this.notify(sessionId, state ? { kind: 'status', status: state.status } : { kind: 'deleted' })
        if (state?.work) this.notify(sessionId, { kind: 'work' })
      }),
    )
  }

  /** @returns ends it */
  watch(sessionId: string, watcher: (event: SessionEvent) => void): () => void {
    const watchers = this.#watchers.get(sessionId) ?? new Set()
    this.#watchers.set(sessionId, watchers)
    watchers.add(watcher)
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0 && this.#watchers.get(sessionId) === watchers) this.#watchers.delete(sessionId)
    }
  }
}
