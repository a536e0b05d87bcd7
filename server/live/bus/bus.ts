import type { Segment } from '#protocol/segment.ts'
import type { BusEvent } from './events.ts'

/** Who reads a task's lines on this server. */
export interface LineListener {
  /** Lines that are committed, here or on another server; in the order of one server's commits. */
  lines(firstSeq: number, segment: Segment): void
  /** Lines may have been missed: look into the store. */
  missed(): void
}

export interface EventListener {
  /** Something happened on the server `origin`, which is never this one. */
  event(event: BusEvent, origin: string): void
  /** Events may have been missed: whatever is remembered may be wrong. */
  missed(): void
}

/**
 * What servers on one store tell one another. It carries only news: all of it can be had from the store, so that a lost message costs
 * time and no line. Nothing here throws or makes its caller wait.
 */
export interface Bus {
  /** Lines that were committed here: to the listeners on every server. */
  publish(taskId: string, firstSeq: number, segment: Segment): void
  /** @returns what ends it */
  listen(taskId: string, listener: LineListener): () => void
  /** To the other servers only. */
  send(event: BusEvent): void
  onEvent(listener: EventListener): void
  /** Why other servers are not heard now; undefined while they are. */
  problem(): string | undefined
  close(): Promise<void>
}
