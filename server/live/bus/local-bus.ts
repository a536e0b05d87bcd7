import type { Segment } from '#protocol/segment.ts'
import type { Bus, LineListener } from './bus.ts'

/** The bus of a server that is alone: lines go from the commit to its own listeners as they are. */
export class LocalBus implements Bus {
  readonly #listeners = new Map<string, Set<LineListener>>()

  publish(taskId: string, firstSeq: number, segment: Segment): void {
    for (const listener of this.#listeners.get(taskId) ?? []) listener.lines(firstSeq, segment)
  }

  listen(taskId: string, listener: LineListener): () => void {
    const listeners = this.#listeners.get(taskId) ?? new Set()
    this.#listeners.set(taskId, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(taskId) === listeners) this.#listeners.delete(taskId)
    }
  }

  hasListeners(taskId: string): boolean {
    return this.#listeners.has(taskId)
  }

  get taskIds(): string[] {
    return [...this.#listeners.keys()]
  }

  /** Of one task, or of all. */
  missed(taskId?: string): void {
    for (const id of taskId === undefined ? this.taskIds : [taskId])
      for (const listener of this.#listeners.get(id) ?? []) listener.missed()
  }

  send(): void {}

  onEvent(): void {}

  problem(): undefined {}

  async close(): Promise<void> {}
}
