/** Calls `work` for each, so many at once; ends with the first failure. */
export async function forEachOf<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const under = new Set<Promise<void>>()
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item).then(() => void under.delete(one))
      // Heard below, maybe only later.
      one.catch(() => undefined)
      under.add(one)
      if (under.size >= atOnce) await Promise.race(under)
    }
    await Promise.all(under)
  } finally {
    await Promise.allSettled(under)
  }
}
