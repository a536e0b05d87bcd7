import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { idSchema } from '#protocol/ids.ts'
import type { PlacedSegment, SegmentHeader, StoredBody, TaskHead } from '#server/store/store.ts'
import { DamageError } from '../lines.ts'

/**
 * A task's log in a backup: records, each a line of JSON, in the order in which they were written. The first names the task. A segment's is
 * followed by its body and a newline. A head's says where the log stands by then. What is cut off at the end is written anew.
 */
const firstSchema = z.object({ taskId: z.string() })
const segmentSchema = z.object({
  firstSeq: z.number().int().min(1),
  count: z.number().int().min(1),
  minAt: z.number(),
  maxAt: z.number(),
  textBytes: z.number(),
  counts: z.array(z.number()).length(15),
  codec: z.enum(['raw', 'zstd']),
  bytes: z.number().int().min(1),
  sha256: z.string(),
})
const headSchema = z.object({
  lastSeq: z.number().int(),
  streams: z.array(z.tuple([z.string(), z.object({ n: z.number(), endN: z.number().optional() })])),
})
type SegmentRecord = z.infer<typeof segmentSchema> & { at: number }

/** What a log's file holds, by rising seq. */
export interface LogIndex {
  taskId: string | undefined
  segments: SegmentRecord[]
  head: TaskHead
  /** Whether a head stands at its end. */
  whole: boolean
  /** Where the next record comes. */
  end: number
}

export const emptyIndex = (): LogIndex => ({
  taskId: undefined,
  segments: [],
  head: { lastSeq: 0, streams: new Map() },
  whole: false,
  end: 0,
})

/** Reads the records' lines, not the bodies. A file that is not there is empty. */
export async function readLogIndex(path: string): Promise<LogIndex> {
  const index = emptyIndex()
  const file = await openIfThere(path)
  if (!file) return index
  try {
    const { size } = await file.stat()
    const lines = new LineReader(file)
    for (;;) {
      const line = await lines.at(index.end)
      if (!line) break
      const record = parsed(line.text)
      const segment = segmentSchema.safeParse(record).data
      const head = headSchema.safeParse(record).data
      const first = firstSchema.safeParse(record).data
      if (segment) {
        if (line.end + segment.bytes + 1 > size) break
        index.segments.push({ ...segment, at: line.end })
        index.end = line.end + segment.bytes + 1
        index.whole = false
      } else if (head) {
        index.head = { lastSeq: head.lastSeq, streams: new Map(head.streams) }
        index.end = line.end
        index.whole = true
      } else if (first && index.end === 0) {
        index.taskId = first.taskId
        index.end = line.end
      } else break
    }
    index.segments.sort((a, b) => a.firstSeq - b.firstSeq)
    return index
  } finally {
    await file.close()
  }
}

/** Nothing where the file does not begin as one of these. */
export async function readTaskId(path: string): Promise<string | undefined> {
  const file = await openIfThere(path)
  try {
    const line = file && (await new LineReader(file).at(0))
    return line && firstSchema.safeParse(parsed(line.text)).data?.taskId
  } finally {
    await file?.close()
  }
}

export async function appendSegments(
  path: string,
  taskId: string,
  index: LogIndex,
  placed: PlacedSegment[],
): Promise<void> {
  const there = new Set(index.segments.map(({ firstSeq }) => firstSeq))
  const parts: Uint8Array[] = index.end === 0 ? [line({ taskId: idSchema.parse(taskId) })] : []
  const added: SegmentRecord[] = []
  let at = index.end + (parts[0]?.length ?? 0)
  for (const { firstSeq, summary, codec, body } of placed) {
    if (there.has(firstSeq)) continue
    const sha256 = createHash('sha256').update(body).digest('hex')
    const record = { firstSeq, ...summary, codec, bytes: body.length, sha256 }
    const text = line(record)
    parts.push(text, body, newline)
    added.push({ ...record, at: at + text.length })
    at += text.length + body.length + 1
  }
  await append(path, index.end, parts, false)
  Object.assign(index, { taskId, end: at, whole: false })
  index.segments.push(...added)
}

export async function appendHead(
  path: string,
  taskId: string,
  index: LogIndex,
  head: TaskHead,
): Promise<void> {
  const parts = index.end === 0 ? [line({ taskId: idSchema.parse(taskId) })] : []
  parts.push(line({ lastSeq: head.lastSeq, streams: [...head.streams] }))
  await append(path, index.end, parts, true)
  Object.assign(index, {
    taskId,
    head,
    whole: true,
    end: index.end + parts.reduce((sum, { length }) => sum + length, 0),
  })
}

export function headerOf(taskId: string, record: SegmentRecord): SegmentHeader {
  const { firstSeq, count, minAt, maxAt, textBytes, counts, codec, bytes } = record
  return { taskId, firstSeq, count, minAt, maxAt, textBytes, counts, codec, storedBytes: bytes }
}

/** @throws DamageError where a body is not what was written */
export async function readBodies(path: string, records: SegmentRecord[]): Promise<StoredBody[]> {
  const file = await openIfThere(path)
  if (!file) return []
  try {
    const bodies: StoredBody[] = []
    for (const { firstSeq, codec, at, bytes, sha256 } of records) {
      const body = new Uint8Array(bytes)
      await file.read(body, 0, bytes, at)
      if (createHash('sha256').update(body).digest('hex') !== sha256)
        throw new DamageError(`${path} is damaged between byte ${at} and ${at + bytes}`)
      bodies.push({ firstSeq, codec, body })
    }
    return bodies
  } finally {
    await file.close()
  }
}

const newline = Buffer.from('\n')

function line(record: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`)
}

async function append(path: string, at: number, parts: Uint8Array[], durable: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, at === 0 ? 'w' : 'r+', 0o600)
  try {
    // What is behind was cut off in the middle.
    await file.truncate(at)
    await file.write(Buffer.concat(parts), 0, undefined, at)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const WINDOW = 64 * 1024

/** Lines at any place of a file. */
class LineReader {
  readonly #file: FileHandle
  #window = Buffer.alloc(0)
  #from = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Nothing where no newline follows. */
  async at(position: number): Promise<{ text: string; end: number } | undefined> {
    for (let size = WINDOW; ; size *= 4) {
      const begin = position - this.#from
      const end = begin < 0 || begin >= this.#window.length ? -1 : this.#window.indexOf(10, begin)
      if (end >= 0) return { text: this.#window.toString('utf8', begin, end), end: this.#from + end + 1 }
      const window = Buffer.alloc(size)
      const { bytesRead } = await this.#file.read(window, 0, size, position)
      this.#window = window.subarray(0, bytesRead)
      this.#from = position
      if (bytesRead < size && this.#window.indexOf(10) < 0) return undefined
    }
  }
}
