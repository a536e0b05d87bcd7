import { ApiError } from '../delivery/api.ts'

const BEAT_MS = 10_000

export interface HeartbeatOptions {
  /** Whether the run's connection says it already. */
  connected(): boolean
  /** Says it by REST. */
  beat(): Promise<unknown>
  /** The run is not this agent's any more. */
  onLost(message: string): void
  explain(message: string): void
}

/** Says every 10 s that the run lives, where no connection does. @returns ends it */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const beat = async () => {
    if (options.connected()) return
    try {
      await options.beat()
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) options.onLost(error.message)
      else options.explain((error as Error).message)
    }
  }
  const timer = setInterval(() => void beat(), BEAT_MS)
  return () => clearInterval(timer)
}
