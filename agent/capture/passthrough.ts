import { writeSync } from 'node:fs'

const RETRY_MS = 2

/**
 * Passes bytes on to a descriptor as they are. It blocks where the descriptor does, as the script itself would; where it does not
 * block, the rest is kept and the source is paused until it has gone.
 */
export class Passthrough {
  readonly #fd: number
  readonly #pause: (stop: boolean) => void
  #rest: Buffer[] = []
  #gone = false

  /** @param pause called with true when no more should come, with false when it may */
  constructor(fd: number, pause: (stop: boolean) => void) {
    this.#fd = fd
    this.#pause = pause
  }

  write(chunk: Buffer): void {
    if (this.#gone) return
    if (this.#rest.length > 0) return void this.#rest.push(Buffer.from(chunk))
    const written = this.#try(chunk)
    if (written < chunk.length && !this.#gone) {
      this.#rest.push(Buffer.from(chunk.subarray(written)))
      this.#pause(true)
      setTimeout(() => this.#again(), RETRY_MS)
    }
  }

  /** Whether bytes still wait for the descriptor. */
  get waiting(): boolean {
    return this.#rest.length > 0
  }

  #again(): void {
    while (this.#rest.length > 0 && !this.#gone) {
      const first = this.#rest[0]!
      const written = this.#try(first)
      if (written < first.length) {
        this.#rest[0] = first.subarray(written)
        setTimeout(() => this.#again(), RETRY_MS)
        return
      }
      this.#rest.shift()
    }
    this.#rest = []
    this.#pause(false)
  }

  #try(chunk: Buffer): number {
    let written = 0
    try {
      while (written < chunk.length) written += writeSync(this.#fd, chunk, written)
    } catch (error) {
      // The reader of our output has gone: the script is still recorded.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#gone = true
    }
    return written
  }
}
