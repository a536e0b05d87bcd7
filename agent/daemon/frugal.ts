import { setFlagsFromString } from 'node:v8'
import { collector } from '../collector.ts'
import { optimize } from '../optimize.ts'

/** Who takes so much CPU of so much time, because a script prints much, is worth the optimizing compilers. */
const BUSY_MS = 40
const LOOK_MS = 100
/** So long nothing has run: it is time to tidy up. */
const IDLE_MS = 1000
/** Less is not worth it. */
const LEAST_GROWTH_BYTES = 2 * 1024 * 1024

/**
 * Keeps a process small that waits for weeks. What small tasks need is not compiled by V8's optimizing compilers, which take more
 * memory than all that it would make faster; and what the last tasks have left is collected when no other follows.
 */
export class Frugal {
  readonly #gc = collector()
  #timer: NodeJS.Timeout | undefined
  /** What was left when all was tidy. */
  #tidyBytes = 0

  constructor() {
    // Garbage is looked for sooner: the 16 MB that V8 would fill first are never given back.
    setFlagsFromString('--semi-space-growth-factor=1')
    this.#tidyLater()
  }

  /** Runs a task: one at a time. */
  async during(task: () => Promise<void>): Promise<void> {
    clearTimeout(this.#timer)
    let before = cpuMs()
    const watch = setInterval(() => {
      const now = cpuMs()
      if (now - before >= BUSY_MS) optimize(true)
      before = now
    }, LOOK_MS)
    try {
      await task()
    } finally {
      clearInterval(watch)
      optimize(false)
      this.#tidyLater()
    }
  }

  #tidyLater(): void {
    this.#timer = setTimeout(() => this.#tidy(), IDLE_MS).unref()
  }

  #tidy(): void {
    if (process.memoryUsage.rss() - this.#tidyBytes < LEAST_GROWTH_BYTES) return
    this.#gc({ type: 'major', flavor: 'last-resort' })
    this.#tidyBytes = process.memoryUsage.rss()
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
