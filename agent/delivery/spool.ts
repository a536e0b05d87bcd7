import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { lastN, openRecord, RECORD_HEADER_BYTES, recordBytes, type SpoolRecord } from './record.ts'
import { DiskPart, MemoryPart, type SpoolPart } from './spool-part.ts'

export interface Position {
  file: number
  offset: number
}

const FILE_BYTES = 8 * 1024 * 1024
const LARGEST_RECORD = 8 * 1024 * 1024

/**
 * Records of one stream on disk, in files that are only ever appended to and removed. Written, not fsynced: it survives the
 * agent's death, not the machine's. What the disk does not take is kept in memory until it does.
 */
export class Spool {
  readonly dir: string
  readonly #parts: SpoolPart[] = []
  #writing: DiskPart | undefined
  #reading: SpoolPart | undefined
  #bytes = 0
  #memoryBytes = 0
  #lastNumber = 0
  #safeN = 0
  #trouble: Error | undefined

  /** A new spool. A disk that takes no folder is no error: see `trouble`. */
  static create(dir: string): Spool {
    const spool = new Spool(dir)
    try {
      makeFolder(dir, 0o700)
    } catch (error) {
      spool.#trouble = error as Error
    }
    return spool
  }

  /**
   * The spool of an agent that has gone.
   * @throws what the file system throws
   */
  static open(dir: string): Spool {
    const spool = new Spool(dir)
    for (const name of readdirSync(dir).sort()) {
      const match = /^(\d{8,})\.seg$/.exec(name)
      if (!match) continue
      const part = new DiskPart(
        join(dir, name),
        Number(match[1]),
        statSync(join(dir, name)).size,
        Number.POSITIVE_INFINITY,
      )
      spool.#parts.push(part)
      spool.#bytes += part.bytes
      spool.#lastNumber = part.number
    }
    return spool
  }

  private constructor(dir: string) {
    this.dir = dir
  }

  /** Bytes that are not released, in memory or on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Those of them that are in memory only. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** Highest line that the disk has taken. */
  get safeN(): number {
    return this.#safeN
  }

  /** Why the disk takes nothing. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  get start(): Position {
    return { file: this.#parts[0]?.number ?? 0, offset: 0 }
  }

  append(record: SpoolRecord): Position {
    const part = this.#toDisk(record.bytes) ?? this.#toMemory(record.bytes)
    part.lastN = lastN(record)
    if (part === this.#writing) this.#safeN = part.lastN
    this.#bytes += record.bytes.length
    return { file: part.number, offset: part.bytes - record.bytes.length }
  }

  /** Moves what is in memory to the disk. @returns whether the disk takes everything again */
  retry(): boolean {
    try {
      makeFolder(this.dir, 0o700)
      // In their order: an agent that finds a hole in the files cannot go on behind it.
      for (const [index, part] of this.#parts.entries()) {
        if (part instanceof MemoryPart) this.#parts[index] = this.#moved(part)
      }
      this.#trouble = undefined
    } catch (error) {
      this.#trouble = error as Error
    }
    return this.#trouble === undefined
  }

  /** The record at a position and where the next one begins; `undefined` at the end, or where the rest was never written whole. */
  read(
    at: Position,
    memory: (bytes: number) => Buffer = Buffer.allocUnsafe,
  ): { record: SpoolRecord; at: Position; next: Position } | undefined {
    const index = this.#parts.findIndex(part => part.number >= at.file)
    const part = this.#parts[index]
    if (part === undefined) return undefined
    const offset = part.number === at.file ? at.offset : 0
    const record = this.#readRecord(part, offset, memory)
    if (record) {
      const here = { file: part.number, offset }
      return { record, at: here, next: { file: part.number, offset: offset + record.bytes.length } }
    }
    const following = this.#parts[index + 1]
    return following && this.read({ file: following.number, offset: 0 }, memory)
  }

  /** Removes parts that hold nothing after line `n`. */
  release(n: number): void {
    while (this.#parts.length > 0 && this.#parts[0]!.lastN <= n) {
      const part = this.#parts[0]!
      if (part === this.#writing) {
        if (part.bytes < FILE_BYTES / 8) return
        this.#writing = undefined
      }
      this.#parts.shift()
      this.#bytes -= part.bytes
      if (part instanceof MemoryPart) this.#memoryBytes -= part.bytes
      part.remove()
    }
  }

  close(): void {
    for (const part of this.#parts) part.close()
  }

  /** Deletes everything, when all has been delivered. */
  remove(): void {
    this.close()
    try {
      rmSync(this.dir, { recursive: true, force: true })
    } catch {
      // The next agent finds that all of it is stored.
    }
  }

  #toDisk(bytes: Buffer): SpoolPart | undefined {
    if (this.#trouble) return undefined
    if (this.#writing && this.#writing.bytes >= FILE_BYTES) this.#stopWriting()
    const part = this.#writing ?? this.#diskPart(this.#lastNumber + 1)
    try {
      part.append(bytes)
    } catch (error) {
      this.#trouble = error as Error
      if (part === this.#writing) this.#stopWriting()
      else part.close()
      return undefined
    }
    if (part !== this.#writing) this.#parts.push(part)
    this.#writing = part
    this.#lastNumber = part.number
    return part
  }

  #toMemory(bytes: Buffer): SpoolPart {
    const last = this.#parts.at(-1)
    let part = last instanceof MemoryPart && last.fits(bytes.length) ? last : undefined
    if (part === undefined) {
      this.#lastNumber++
      part = new MemoryPart(this.#lastNumber, bytes.length)
      this.#parts.push(part)
    }
    part.append(bytes)
    this.#memoryBytes += bytes.length
    return part
  }

  #moved(part: MemoryPart): DiskPart {
    const moved = this.#diskPart(part.number)
    try {
      moved.append(part.contents)
    } finally {
      moved.close()
    }
    this.#safeN = moved.lastN = part.lastN
    this.#memoryBytes -= part.bytes
    return moved
  }

  #stopWriting(): void {
    if (this.#writing !== this.#reading) this.#writing?.close()
    this.#writing = undefined
  }

  #readRecord(part: SpoolPart, offset: number, memory: (bytes: number) => Buffer): SpoolRecord | undefined {
    if (this.#reading !== part && this.#reading !== this.#writing) this.#reading?.close()
    this.#reading = part
    const header = Buffer.alloc(RECORD_HEADER_BYTES)
    if (offset + RECORD_HEADER_BYTES > part.bytes || part.read(header, offset) < header.length)
      return undefined
    const length = recordBytes(header)
    if (length > LARGEST_RECORD || offset + length > part.bytes) return undefined
    const bytes = memory(length)
    return part.read(bytes, offset) < length ? undefined : openRecord(bytes)
  }

  #diskPart(number: number): DiskPart {
    return new DiskPart(join(this.dir, `${String(number).padStart(8, '0')}.seg`), number)
  }
}
