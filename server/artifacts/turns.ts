/** One at a time for each key, in the order of their coming. */
export interface Turns {
  take<T>(key: string, work: () => Promise<T>): Promise<T>
  busy(key: string): boolean
  /** Resolves when nobody has a turn. */
  idle(): Promise<void>
  /** Whether somebody waits for the one whose turn it is. */
  awaited(key: string): boolean
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  const counts = new Map<string, number>()
  return {
    async take(key, work) {
      counts.set(key, (counts.get(key) ?? 0) + 1)
      const mine = (last.get(key) ?? Promise.resolve()).then(work)
      const settled = mine.catch(() => {})
      last.set(key, settled)
      try {
        return await mine
      } finally {
        counts.set(key, counts.get(key)! - 1)
        if (last.get(key) === settled) {
          last.delete(key)
          counts.delete(key)
        }
      }
    },
    busy: key => last.has(key),
    async idle() {
      while (last.size > 0) await Promise.all(last.values())
    },
    awaited: key => (counts.get(key) ?? 0) > 1,
  }
}
