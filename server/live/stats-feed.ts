/** Tells of growing logs at most once a second and task, the first time at once. */
export class StatsFeed {
  readonly #tell: (taskIds: string[]) => void
  readonly #intervalMs: number
  #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(tell: (taskIds: string[]) => void, intervalMs = 1000) {
    this.#tell = tell
    this.#intervalMs = intervalMs
  }

  changed(taskId: string): void {
    this.#changed.add(taskId)
    this.#timer ??= setTimeout(() => this.#flush(), 50)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#changed.clear()
  }

  #flush(): void {
    const taskIds = [...this.#changed]
    this.#changed.clear()
    this.#timer = taskIds.length > 0 ? setTimeout(() => this.#flush(), this.#intervalMs) : undefined
    if (taskIds.length > 0) this.#tell(taskIds)
  }
}
