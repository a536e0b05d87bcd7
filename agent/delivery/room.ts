import type { Spool } from './spool.ts'

/** Undelivered lines that the agent keeps in memory at most, where the disk takes none. */
const MEMORY_BYTES = 16 * 1024 * 1024
/** Reading goes on once so much of the room is used. */
const RESUME_SHARE = 0.9
const mb = (bytes: number) => `${Math.round(bytes / 1_048_576)} MB`

export interface RoomEvents {
  /** Reading is to stop (true) or go on (false). */
  pressure(stop: boolean): void
  /** The script is slowed down for the first time: the reason. */
  slowed(reason: string): void
}

/** Whether there is room for more lines, on disk and in memory. */
export class Room {
  readonly #spool: Spool
  readonly #maxBytes: number
  readonly #on: RoomEvents
  #full = false
  #hopeless = false
  #told = false

  /** @param maxBytes of the spool */
  constructor(spool: Spool, maxBytes: number, on: RoomEvents) {
    this.#spool = spool
    this.#maxBytes = maxBytes
    this.#on = on
  }

  get full(): boolean {
    return this.#full
  }

  /** Nothing makes room any more: waiting for it would hold the script for ever. */
  giveUp(): void {
    this.#hopeless = true
    if (this.#full) this.#on.pressure(false)
  }

  /** Looks anew, after something was added, released or moved. */
  check(): void {
    const { bytes, memoryBytes } = this.#spool
    const used = Math.max(bytes / this.#maxBytes, memoryBytes / MEMORY_BYTES)
    if (used < (this.#full ? RESUME_SHARE : 1)) this.#set(false)
    else this.#set(true)
  }

  #set(full: boolean): void {
    if (full === this.#full) return
    this.#full = full
    if (this.#hopeless) return
    this.#on.pressure(full)
    if (!full || this.#told) return
    this.#told = true
    this.#on.slowed(this.#reason())
  }

  #reason(): string {
    if (this.#spool.memoryBytes < MEMORY_BYTES)
      return `the spool has reached ${mb(this.#maxBytes)} (KERUTA_SPOOL_MAX_MB)`
    const { dir, trouble } = this.#spool
    return `the spool ${dir} cannot be written (${trouble?.message}), and memory for lines has reached ${mb(MEMORY_BYTES)}`
  }
}
