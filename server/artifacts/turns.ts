/** One at a time for each key, in the order of their coming. */
export interface Turns {
  take<T>(key: string, work: () => Promise<T>): Promise<T>
  busy(key: string): boolean
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take(key, work) {
      const mine = (last.get(key) ?? Promise.resolve()).then(work)
      const settled = mine.catch(() => {})
      last.set(key, settled)
      try {
        return await mine
      } finally {
        if (last.get(key) === settled) last.delete(key)
      }
    },
    busy: key => last.has(key),
  }
}
