import type { Segment } from '#protocol/segment.ts'
import type { TaskView } from '#protocol/task.ts'
import type { LogQueries } from '#server/logs/queries.ts'
import { LogBatch } from './log-batch.ts'
import { Subscriber, type SubscriberOptions } from './subscriber.ts'

/** What happened to a task, for every connection that watches it. */
export type TaskEvent =
  | { kind: 'status'; task: TaskView }
  | { kind: 'progress'; task: TaskView }
  | { kind: 'cancel'; taskId: string; message: string | null }

export interface HubOptions {
  queries: Pick<LogQueries, 'read'>
  /** See SubscriberOptions. */
  maxQueueBytes: number
  maxPerSecond: number
  onGap(lines: number): void
  onSent(lines: number, bytes: number): void
}

type SubscribeOptions = Pick<SubscriberOptions, 'taskId' | 'filter' | 'after' | 'realtime' | 'sink'>

/** The one way out for lines: every transport's readers are subscribers here. */
export class Hub {
  readonly #options: HubOptions
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #watchers = new Map<string, Set<(event: TaskEvent) => void>>()

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** Called after a commit, in the order of a task's seq. */
  publish(taskId: string, firstSeq: number, segment: Segment): void {
    const subscribers = this.#subscribers.get(taskId)
    if (!subscribers) return
    for (const batch of LogBatch.split(taskId, firstSeq, segment)) {
      for (const subscriber of subscribers) subscriber.offer(batch)
    }
  }

  subscribe(options: SubscribeOptions): Subscriber {
    const subscribers = this.#subscribers.get(options.taskId) ?? new Set()
    this.#subscribers.set(options.taskId, subscribers)
    const subscriber: Subscriber = new Subscriber({
      ...this.#options,
      ...options,
      onClose: () => {
        subscribers.delete(subscriber)
        if (subscribers.size === 0 && this.#subscribers.get(options.taskId) === subscribers)
          this.#subscribers.delete(options.taskId)
      },
    })
    subscribers.add(subscriber)
    subscriber.start()
    return subscriber
  }

  notify(taskId: string, event: TaskEvent): void {
    for (const watcher of this.#watchers.get(taskId) ?? []) watcher(event)
  }

  /** @returns a function that ends the watch */
  watch(taskId: string, watcher: (event: TaskEvent) => void): () => void {
    const watchers = this.#watchers.get(taskId) ?? new Set()
    this.#watchers.set(taskId, watchers)
    watchers.add(watcher)
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0 && this.#watchers.get(taskId) === watchers) this.#watchers.delete(taskId)
    }
  }
}
