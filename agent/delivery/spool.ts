import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  unlink,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { lastN, openRecord, RECORD_HEADER_BYTES, recordBytes, type SpoolRecord } from './record.ts'

export interface Position {
  file: number
  offset: number
}

interface SpoolFile {
  number: number
  bytes: number
  lastN: number
}

const FILE_BYTES = 8 * 1024 * 1024
const LARGEST_RECORD = 8 * 1024 * 1024

/**
 * Records of one stream on disk, in files that are only ever appended to and removed. Written, not fsynced: it survives the
 * agent's death, not the machine's. Throws what the file system throws.
 */
export class Spool {
  readonly dir: string
  readonly #files: SpoolFile[] = []
  #writeFd: number | undefined
  #readFd: { number: number; fd: number } | undefined
  #bytes = 0
  #lastNumber = 0

  constructor(dir: string) {
    this.dir = dir
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(dir).sort()) {
      const match = /^(\d{8})\.seg$/.exec(name)
      if (!match) continue
      const bytes = statSync(join(dir, name)).size
      this.#files.push({ number: Number(match[1]), bytes, lastN: Number.POSITIVE_INFINITY })
      this.#bytes += bytes
      this.#lastNumber = Number(match[1])
    }
  }

  /** Bytes on disk that are not released. */
  get bytes(): number {
    return this.#bytes
  }

  get start(): Position {
    return { file: this.#files[0]?.number ?? 0, offset: 0 }
  }

  append(record: SpoolRecord): Position {
    let file = this.#files.at(-1)
    if (file === undefined || this.#writeFd === undefined || file.bytes >= FILE_BYTES) file = this.#nextFile()
    const position = { file: file.number, offset: file.bytes }
    let written = 0
    while (written < record.bytes.length) {
      written += writeSync(
        this.#writeFd!,
        record.bytes,
        written,
        record.bytes.length - written,
        file.bytes + written,
      )
    }
    file.bytes += written
    file.lastN = lastN(record)
    this.#bytes += written
    return position
  }

  /** The record at a position and where the next one begins; `undefined` at the end, or where the rest was never written whole. */
  read(
    at: Position,
    memory: (bytes: number) => Buffer = Buffer.allocUnsafe,
  ): { record: SpoolRecord; at: Position; next: Position } | undefined {
    const index = this.#files.findIndex(file => file.number >= at.file)
    const file = this.#files[index]
    if (file === undefined) return undefined
    const offset = file.number === at.file ? at.offset : 0
    const record = this.#readRecord(file, offset, memory)
    if (record) {
      const here = { file: file.number, offset }
      return { record, at: here, next: { file: file.number, offset: offset + record.bytes.length } }
    }
    const following = this.#files[index + 1]
    return following && this.read({ file: following.number, offset: 0 }, memory)
  }

  /** Removes files that hold nothing after line `n`. */
  release(n: number): void {
    while (this.#files.length > 0 && this.#files[0]!.lastN <= n) {
      const file = this.#files[0]!
      if (this.#files.length === 1 && this.#writeFd !== undefined) {
        if (file.bytes < FILE_BYTES / 8) return
        closeSync(this.#writeFd)
        this.#writeFd = undefined
      }
      this.#files.shift()
      this.#bytes -= file.bytes
      if (this.#readFd?.number === file.number) this.#closeReader()
      // In the background: freeing megabytes of page cache would hold the reader up. What is left goes with the folder.
      unlink(this.#path(file.number), () => {})
    }
  }

  close(): void {
    if (this.#writeFd !== undefined) closeSync(this.#writeFd)
    this.#writeFd = undefined
    this.#closeReader()
  }

  /** Deletes everything, when all has been delivered. */
  remove(): void {
    this.close()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #nextFile(): SpoolFile {
    if (this.#writeFd !== undefined) closeSync(this.#writeFd)
    this.#writeFd = undefined
    this.#lastNumber++
    const file = { number: this.#lastNumber, bytes: 0, lastN: 0 }
    this.#writeFd = openSync(this.#path(file.number), 'wx', 0o600)
    this.#files.push(file)
    return file
  }

  #readRecord(file: SpoolFile, offset: number, memory: (bytes: number) => Buffer): SpoolRecord | undefined {
    const fd = this.#reader(file.number)
    const size = fstatSync(fd).size
    if (offset + RECORD_HEADER_BYTES > size) return undefined
    const header = Buffer.alloc(RECORD_HEADER_BYTES)
    readSync(fd, header, 0, RECORD_HEADER_BYTES, offset)
    const length = recordBytes(header)
    if (length > LARGEST_RECORD || offset + length > size) return undefined
    const bytes = memory(length)
    readSync(fd, bytes, 0, length, offset)
    return openRecord(bytes)
  }

  #reader(number: number): number {
    if (this.#readFd?.number === number) return this.#readFd.fd
    this.#closeReader()
    const fd = openSync(this.#path(number), 'r')
    this.#readFd = { number, fd }
    return fd
  }

  #closeReader(): void {
    if (this.#readFd) closeSync(this.#readFd.fd)
    this.#readFd = undefined
  }

  #path(number: number): string {
    return join(this.dir, `${String(number).padStart(8, '0')}.seg`)
  }
}
