import { closeSync, openSync, readSync, unlink, writeSync } from 'node:fs'

/** A run of records of a spool: a file, or memory where the disk takes nothing. A position in it holds wherever it lies. */
export interface SpoolPart {
  readonly number: number
  /** Of its whole records. */
  readonly bytes: number
  /** Highest line in it. */
  lastN: number
  /** @throws what the file system throws; then nothing counts as added, and nothing may be added to it any more */
  append(bytes: Buffer): void
  /** @returns how many bytes there were to read */
  read(into: Buffer, offset: number): number
  /** Lets go of its file, which is opened again when it is read. */
  close(): void
  remove(): void
}

export class DiskPart implements SpoolPart {
  readonly number: number
  readonly #path: string
  bytes: number
  lastN: number
  #fd: number | undefined

  /** @param bytes of a file that is there already */
  constructor(path: string, number: number, bytes = 0, lastN = 0) {
    this.#path = path
    this.number = number
    this.bytes = bytes
    this.lastN = lastN
  }

  append(bytes: Buffer): void {
    // What a writer that died left behind the whole records of a new part is cut off; what is counted never is.
    this.#fd ??= openSync(this.#path, this.bytes === 0 ? 'w+' : 'r+', 0o600)
    let written = 0
    while (written < bytes.length)
      written += writeSync(this.#fd, bytes, written, bytes.length - written, this.bytes + written)
    this.bytes += written
  }

  read(into: Buffer, offset: number): number {
    this.#fd ??= openSync(this.#path, 'r')
    return readSync(this.#fd, into, 0, into.length, offset)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  remove(): void {
    this.close()
    // In the background: freeing megabytes of page cache would hold the reader up. What is left goes with the folder.
    unlink(this.#path, () => {})
  }
}

const MEMORY_BYTES = 256 * 1024

export class MemoryPart implements SpoolPart {
  readonly number: number
  readonly #memory: Buffer
  bytes = 0
  lastN = 0

  constructor(number: number, least: number) {
    this.number = number
    this.#memory = Buffer.allocUnsafeSlow(Math.max(MEMORY_BYTES, least))
  }

  get contents(): Buffer {
    return this.#memory.subarray(0, this.bytes)
  }

  /** Whether so many bytes more fit. */
  fits(bytes: number): boolean {
    return this.bytes + bytes <= this.#memory.length
  }

  append(bytes: Buffer): void {
    this.bytes += bytes.copy(this.#memory, this.bytes)
  }

  read(into: Buffer, offset: number): number {
    return this.contents.copy(into, 0, offset)
  }

  close(): void {}

  remove(): void {}
}
