import { readFileSync } from 'node:fs'
import type { Child } from '../capture/child.ts'
import type { Circumstances } from './outcome.ts'

const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Passes signals on to a child, and ends it by timeout or cancel: gently first, by SIGKILL after the grace time. */
export class Stopper {
  readonly #graceMs: number
  readonly #oomKills = oomKills()
  readonly #about: Circumstances = { cancelled: false, killedAfterGrace: false, outOfMemory: false }
  readonly #timers: NodeJS.Timeout[] = []
  readonly #handlers: [NodeJS.Signals, () => void][] = []
  #child: Child | undefined
  #pending: NodeJS.Signals | undefined

  constructor(graceMs: number) {
    this.#graceMs = graceMs
    for (const signal of FORWARDED) {
      const handler = () => {
        this.#about.forwarded ??= signal
        this.#stop(signal)
      }
      process.on(signal, handler)
      this.#handlers.push([signal, handler])
    }
  }

  /** Signals that came before the child was there are passed on now. */
  attach(child: Child, timeoutMs: number | undefined): void {
    this.#child = child
    if (this.#pending) this.#stop(this.#pending)
    if (timeoutMs === undefined) return
    const expire = () => {
      this.#about.timedOutAfterMs = timeoutMs
      this.#stop('SIGTERM')
    }
    this.#timers.push(setTimeout(expire, Math.min(timeoutMs, 0x7fffffff)))
  }

  cancel(): void {
    if (this.#about.cancelled) return
    this.#about.cancelled = true
    this.#stop('SIGTERM')
  }

  /** What led to the child's end. Signals are the agent's own again. */
  release(): Circumstances {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
    this.#child = undefined
    this.#about.outOfMemory = oomKills() > this.#oomKills
    return this.#about
  }

  #stop(signal: NodeJS.Signals): void {
    this.#pending = signal
    const child = this.#child
    if (!child) return
    child.kill(signal)
    const kill = () => {
      this.#about.killedAfterGrace = true
      child.kill('SIGKILL')
    }
    this.#timers.push(setTimeout(kill, this.#graceMs))
  }
}

/** How often the kernel has killed for memory in this control group. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync('/sys/fs/cgroup/memory.events', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
