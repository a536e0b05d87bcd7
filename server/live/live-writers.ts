/** Which tasks have a connection that writes a stream of lines: their logs are still arriving. */
export class LiveWriters {
  readonly #writers = new Map<string, number>()

  /** @returns a function to call when the writer has gone */
  add(taskId: string): () => void {
    this.#writers.set(taskId, (this.#writers.get(taskId) ?? 0) + 1)
    return () => {
      const left = this.#writers.get(taskId)! - 1
      if (left > 0) this.#writers.set(taskId, left)
      else this.#writers.delete(taskId)
    }
  }

  has(taskId: string): boolean {
    return this.#writers.has(taskId)
  }
}
