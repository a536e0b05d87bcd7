import type { Daemons } from '../daemons.ts'
import type { Bus } from './bus.ts'
import type { BusEvent } from './events.ts'
import type { RemoteWriters } from './remote-writers.ts'

export type TaskNews = Extract<BusEvent, { type: 'task' }>

export type SessionNews = Extract<BusEvent, { type: 'session' }>

export interface FollowDeps {
  writers: Pick<RemoteWriters, 'take'>
  daemons: Pick<Daemons, 'take'>
  taskChanged(news: TaskNews): Promise<void>
  taskDeleted(taskId: string, sessionId: string | null): void
  sessionChanged(news: SessionNews): void
  statsChanged(taskIds: string[]): Promise<void>
  cleared(taskId: string, firstSeq: number): void
  artifactsChanged(taskId: string): void
  inputCame(taskId: string): void
  keyRevoked(keyId: string): void
  /** Looks for everything in the store that nobody told of. */
  lookAround(): Promise<void>
  onError(error: unknown): void
}

/** Does on this server what follows from what happened on another. */
export function follow(bus: Bus, deps: FollowDeps): void {
  const { writers, daemons, onError } = deps
  bus.onEvent({
    event(event, origin) {
      switch (event.type) {
        case 'task':
          if (event.change === 'deleted') deps.taskDeleted(event.taskId, event.sessionId)
          else deps.taskChanged(event).catch(onError)
          return
        case 'session':
          deps.sessionChanged(event)
          return
        case 'stats':
          deps.statsChanged(event.taskIds).catch(onError)
          return
        case 'cleared':
          deps.cleared(event.taskId, event.firstSeq)
          return
        case 'artifacts':
          deps.artifactsChanged(event.taskId)
          return
        case 'input':
          deps.inputCame(event.taskId)
          return
        case 'keyRevoked':
          deps.keyRevoked(event.keyId)
          return
        default:
          writers.take(event, origin)
          daemons.take(event, origin)
      }
    },
    // A store that is away as well is asked again the next time.
    missed: () => void deps.lookAround().catch(() => {}),
  })
}
