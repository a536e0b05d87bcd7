import type { Segment } from '#protocol/segment.ts'
import type { TaskView } from '#protocol/task.ts'
import type { LogQueries } from '#server/logs/queries.ts'
import type { Bus } from './bus/bus.ts'
import { LogBatch } from './log-batch.ts'
import { StoredReads } from './stored-reads.ts'
import { Subscriber, type SubscriberOptions } from './subscriber.ts'

/** What happened to a task, for every connection that watches it. */
export type TaskEvent =
  | { kind: 'status'; task: TaskView }
  | { kind: 'progress'; task: TaskView }
  | { kind: 'cancel'; taskId: string; message: string | null }
  /** Something was typed to its script. */
  | { kind: 'input' }

export interface HubOptions {
  queries: Pick<LogQueries, 'read'>
  /** Where lines come from, whichever server committed them. */
  bus: Pick<Bus, 'listen'>
  /** Head of a task's log: last seq. */
  lastSeq(taskId: string): Promise<number>
  /** See SubscriberOptions. */
  maxQueueBytes: number
  /** See SubscriberOptions; none where a crowd reads the task. */
  patienceMs: number
  maxPerSecond: number
  onGap(lines: number): void
  onSent(lines: number, bytes: number): void
}

/** Where more read one task, reading the store again for each would hold up its writer and the others. */
const MOST_PATIENT = 32

type SubscribeOptions = Pick<SubscriberOptions, 'taskId' | 'filter' | 'after' | 'realtime' | 'sink'>

/** The one way out for lines: every transport's readers are subscribers here. */
export class Hub {
  readonly #options: HubOptions
  readonly #stored: StoredReads
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #unlisten = new Map<string, () => void>()
  readonly #watchers = new Map<string, Set<(event: TaskEvent) => void>>()

  constructor(options: HubOptions) {
    this.#options = options
    this.#stored = new StoredReads(options.queries)
  }

  /** Called after a commit, in the order of a task's seq where one server writes. */
  publish(taskId: string, firstSeq: number, segment: Segment): void {
    const subscribers = this.#subscribers.get(taskId)
    if (!subscribers) return
    for (const batch of LogBatch.split(taskId, firstSeq, segment)) {
      for (const subscriber of subscribers) subscriber.offer(batch)
    }
  }

  subscribe(options: SubscribeOptions): Subscriber {
    const { taskId } = options
    const subscribers = this.#subscribers.get(taskId) ?? new Set()
    this.#subscribers.set(taskId, subscribers)
    if (subscribers.size === 0) this.#listen(taskId)
    const subscriber: Subscriber = new Subscriber({
      ...this.#options,
      ...options,
      now: () => performance.now(),
      patienceMs: () => (subscribers.size > MOST_PATIENT ? 0 : this.#options.patienceMs),
      reads: {
        read: (id, filter, after, whole) =>
          this.#stored.read(id, filter, after, whole && subscribers.size > 1),
      },
      onClose: () => {
        subscribers.delete(subscriber)
        if (subscribers.size > 0 || this.#subscribers.get(taskId) !== subscribers) return
        this.#subscribers.delete(taskId)
        this.#unlisten.get(taskId)?.()
        this.#unlisten.delete(taskId)
      },
    })
    subscribers.add(subscriber)
    subscriber.start()
    return subscriber
  }

  /** Tasks that somebody watches. */
  get watched(): string[] {
    return [...this.#watchers.keys()]
  }

  isWatched(taskId: string): boolean {
    return this.#watchers.has(taskId)
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

  #listen(taskId: string): void {
    const end = this.#options.bus.listen(taskId, {
      lines: (firstSeq, segment) => this.publish(taskId, firstSeq, segment),
      missed: () => void this.#compare(taskId),
    })
    this.#unlisten.set(taskId, end)
  }

  /** Lines that nobody told of are in the store. */
  async #compare(taskId: string): Promise<void> {
    // A store that is away is asked again the next time.
    const head = await this.#options.lastSeq(taskId).catch(() => 0)
    for (const subscriber of this.#subscribers.get(taskId) ?? []) subscriber.reached(head)
  }
}
