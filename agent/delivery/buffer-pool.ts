const SMALL_BYTES = 16 * 1024
const STEP_BYTES = 320 * 1024
const KEPT = 16

/** Memory for frames that is used again: at hundreds of megabytes a second the collector would come too late. */
export class BufferPool {
  readonly #free: Buffer[] = []

  take(bytes: number): Buffer {
    if (bytes <= SMALL_BYTES) return Buffer.allocUnsafe(bytes)
    const index = this.#free.findIndex(buffer => buffer.length >= bytes)
    const [found] = index < 0 ? [] : this.#free.splice(index, 1)
    const whole = found ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES)
    return whole.subarray(0, bytes)
  }

  /** Only for memory that nobody reads any more. */
  give(buffer: Buffer): void {
    if (buffer.length <= SMALL_BYTES || this.#free.length >= KEPT) return
    this.#free.push(Buffer.from(buffer.buffer, 0, buffer.buffer.byteLength))
  }
}
