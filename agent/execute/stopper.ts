import type { Child } from '../capture/child.ts'
import { memoryKills } from './memory-kills.ts'
import type { Circumstances } from './outcome.ts'

/** Ends a run from outside: its child gently first, by SIGKILL after the grace time. Who owns the run decides when. */
export class Stopper {
  readonly #graceMs: number
  readonly #memoryKills = memoryKills()
  readonly #about: Circumstances = { cancelled: false, killedAfterGrace: false }
  readonly #abort = new AbortController()
  #child: Child | undefined
  #asked: NodeJS.Signals | undefined
  #timeout: NodeJS.Timeout | undefined
  #kill: NodeJS.Timeout | undefined

  /** @param graceMs between SIGTERM and SIGKILL */
  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  /** Fires when the run is to end: for work that is no child. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** What is to be stopped from now on; nothing between two children. A stop that came before is passed on now. */
  attach(child: Child | undefined): void {
    clearTimeout(this.#kill)
    this.#kill = undefined
    this.#child = child
    if (this.#asked) this.#stop(this.#asked)
  }

  /** The run's time begins. */
  limit(timeoutMs: number): void {
    const expire = () => {
      this.#about.timedOutAfterMs = timeoutMs
      this.#stop('SIGTERM')
    }
    this.#timeout = setTimeout(expire, Math.min(timeoutMs, 0x7fffffff))
  }

  /** Passes on a signal that the agent got. */
  forward(signal: NodeJS.Signals): void {
    this.#about.forwarded ??= signal
    this.#stop(signal)
  }

  /** Somebody has cancelled the task. */
  cancel(): void {
    if (this.#about.cancelled) return
    this.#about.cancelled = true
    this.#stop('SIGTERM')
  }

  /** The run is not this agent's any more. */
  disown(): void {
    if (this.#about.disowned) return
    this.#about.disowned = true
    this.#stop('SIGTERM')
  }

  /** The task is to go back to the queue. */
  handBack(message: string): void {
    this.#about.handedBack ??= message
    this.#stop('SIGTERM')
  }

  /** The grace time is over. */
  kill(): void {
    this.#about.killedAfterGrace = true
    this.#child?.kill('SIGKILL')
  }

  /** The run is over, as far as it can be stopped. @returns what led to its end */
  release(): Circumstances {
    clearTimeout(this.#timeout)
    clearTimeout(this.#kill)
    this.#child = undefined
    const { group, machine } = memoryKills()
    if (group > this.#memoryKills.group) this.#about.outOfMemory = 'here'
    else if (machine > this.#memoryKills.machine) this.#about.outOfMemory = 'somewhere'
    return this.#about
  }

  #stop(signal: NodeJS.Signals): void {
    this.#asked = signal
    this.#abort.abort()
    const child = this.#child
    if (!child) return
    child.kill(signal)
    this.#kill ??= setTimeout(() => this.kill(), this.#graceMs)
  }
}
