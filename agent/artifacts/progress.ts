import type { Context } from '../context.ts'
import { bytesText } from './bytes-text.ts'

const EVERY_MS = 200

/** How far uploads are, in one line of a terminal; in a pipe, nothing. */
export class Progress {
  readonly #totalBytes: number
  readonly #totalFiles: number
  readonly #timer: NodeJS.Timeout | undefined
  #bytes = 0
  #files = 0

  constructor({ config }: Context, files: { size: number }[]) {
    this.#totalFiles = files.length
    this.#totalBytes = files.reduce((sum, { size }) => sum + size, 0)
    const isShown = process.stderr.isTTY && !config.quiet && !config.json
    if (isShown) this.#timer = setInterval(() => this.#draw(), EVERY_MS)
  }

  bytes(count: number): void {
    this.#bytes += count
  }

  file(): void {
    this.#files++
  }

  end(): void {
    if (!this.#timer) return
    clearInterval(this.#timer)
    process.stderr.write('\r\u001b[K')
  }

  #draw(): void {
    // What is sent again after a cut counts once.
    const sent = bytesText(Math.min(this.#bytes, this.#totalBytes))
    process.stderr.write(
      `\r\u001b[Kkeruta: uploading ${this.#files} of ${this.#totalFiles} artifacts, ${sent} of ${bytesText(this.#totalBytes)}`,
    )
  }
}
