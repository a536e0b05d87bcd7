/** Which tasks have a connection that writes a stream of lines: their logs are still arriving. */
export class LiveWriters {
  readonly #writers = new Map<string, number>()
  readonly #onChange: (taskId: string, here: boolean) => void

  /** @param onChange called when a task's first writer has come, and when its last has gone */
  constructor(onChange: (taskId: string, here: boolean) => void = () => {}) {
    this.#onChange = onChange
  }

  get taskIds(): string[] {
    return [...this.#writers.keys()]
  }

  /** @returns a function to call when the writer has gone */
  add(taskId: string): () => void {
    const before = this.#writers.get(taskId) ?? 0
    this.#writers.set(taskId, before + 1)
    if (before === 0) this.#onChange(taskId, true)
    return () => {
      const left = this.#writers.get(taskId)! - 1
      if (left > 0) this.#writers.set(taskId, left)
      else {
        this.#writers.delete(taskId)
        this.#onChange(taskId, false)
      }
    }
  }

  has(taskId: string): boolean {
    return this.#writers.has(taskId)
  }
}
