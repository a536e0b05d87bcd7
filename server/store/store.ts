import type { Readable } from 'node:stream'
import type { Artifact } from '#protocol/artifact.ts'
import type { ApiKey } from '#protocol/auth.ts'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import type { TaskInput } from '#protocol/task-calls.ts'

/** What can be read of a store beside the servers that work on it. */
export interface StoreReader {
  readonly sessions: CollectionReader<Session>
  readonly tasks: CollectionReader<Task>
  readonly apiKeys: CollectionReader<ApiKey>
  readonly inputs: CollectionReader<TaskInput>
  readonly artifacts: CollectionReader<Artifact>
  readonly blobs: Pick<BlobStore, 'read'>
  readonly segments: SegmentReader
  /** The secret that `sharedSecret` keeps, where it does. */
  secret(): Promise<string | undefined>
  copyMark(): Promise<CopyMark | undefined>
  close(): Promise<void>
}

/** Says of a store that it was filled from another one, and whether that came to its end. */
export interface CopyMark {
  from: string
  done: boolean
}

/** The storage port. Adapters throw KerutaError STORE_UNAVAILABLE or DISK_FULL where the cause lies outside; nothing is kept then. */
export interface Store extends StoreReader {
  readonly sessions: Collection<Session>
  readonly tasks: Collection<Task>
  readonly apiKeys: Collection<ApiKey>
  readonly inputs: Collection<TaskInput>
  readonly artifacts: Collection<Artifact>
  /** What the artifacts hold, under their ids. */
  readonly blobs: BlobStore
  readonly segments: SegmentStore
  /** Keeps a secret that all servers on the store must have, unless it keeps one, and answers the one kept. */
  sharedSecret(made: string): Promise<string>
  /** No mark removes it. */
  setCopyMark(mark: CopyMark | undefined): Promise<void>
  /** Resolves where reading and writing work now; rejects with the reason. */
  ready(): Promise<void>
  close(): Promise<void>
}

type Scalar = string | number | boolean | null

/** Fields joined by AND. `contains` is literal and ignores the case of ASCII letters; `not` includes null. */
export type Where<T> = {
  [K in keyof T]?: Scalar | { in: Scalar[] } | { not: Scalar } | Range | { contains: string }
}
interface Range {
  gt?: string | number
  gte?: string | number
  lt?: string | number
  lte?: string | number
}

export interface Find<T> {
  where?: Where<T>
  /** Default: by id. Ids break ties. */
  orderBy?: [field: keyof T & string, direction: 'asc' | 'desc'][]
  limit?: number
  offset?: number
}

export interface CollectionReader<T extends { id: string }> {
  get(id: string): Promise<T | undefined>
  find(query?: Find<T>): Promise<T[]>
  /** The same without some fields, which may be large. */
  findWithout<K extends keyof T & string>(fields: readonly K[], query: Find<T>): Promise<Omit<T, K>[]>
  count(where?: Where<T>): Promise<number>
}

export interface Collection<T extends { id: string }> extends CollectionReader<T> {
  /** How many there are of each value of a field; values without any are absent. */
  countBy(field: keyof T & string, where?: Where<T>): Promise<Record<string, number>>
  /** False, and nothing is kept, where the id is taken. */
  insert(document: T): Promise<boolean>
  /** Atomic: changes what fits `where` at that moment, and says how many. Put the expected state into `where`. */
  update(where: Where<T>, patch: Partial<T>): Promise<number>
  remove(where: Where<T>): Promise<number>
}

/** `zstd`: the body is a zstd frame of the segment. */
export type Codec = 'raw' | 'zstd'

export interface SegmentHeader extends SegmentSummary {
  taskId: string
  firstSeq: number
  codec: Codec
  /** Size of the body as stored. */
  storedBytes: number
}

export interface StoredBody {
  firstSeq: number
  codec: Codec
  body: Uint8Array
}

/** A segment on its way in. Its position is given by the order of `append`. */
export interface NewSegment {
  body: Uint8Array
  summary: SegmentSummary
  /** Present where a stream sent it: the numbers of its lines within the stream. */
  stream?: { streamId: string; firstN: number; lastN: number }
}

/** A segment whose position is known. */
export interface PlacedSegment {
  firstSeq: number
  summary: SegmentSummary
  codec: Codec
  body: Uint8Array
}

/** A stream's highest stored line, and how many lines it said to have when it ended. */
export interface StreamHead {
  n: number
  endN?: number
}

export interface TaskHead {
  /** Highest seq ever given; 0 before the first. Deletions do not lower it. */
  lastSeq: number
  streams: Map<string, StreamHead>
}

/** What is stored of a task's log now. */
export interface TaskTotals {
  /** Seq of the first stored line; 0 where there is none. */
  firstSeq: number
  lastSeq: number
  lines: number
  textBytes: number
  storedBytes: number
  /** By `source * 5 + level`. */
  counts: number[]
}

export type AppendResult =
  /** Durable when it arrives: all segments are kept, from `firstSeq` on. */
  | { ok: true; firstSeq: number }
  /** Somebody else appended: `appended` segments (maybe 0) were kept from `expectedNextSeq` on, the rest was not. */
  | { ok: false; appended: number; head: TaskHead }

export interface HeaderRange {
  /** Segments that hold any seq above this; default 0. */
  after?: number
  /** Segments that hold any seq below this; default no bound. */
  before?: number
  order: 'asc' | 'desc'
  limit: number
}

export interface RecentRange {
  /** Segments with a line at or after, ms; before, ms. */
  from?: number
  to?: number
  /** Continue after this segment (by `maxAt` falling, then taskId, then firstSeq falling). */
  cursor?: { maxAt: number; taskId: string; firstSeq: number }
  limit: number
}

/** The reading half, which worker threads open for themselves. */
export interface SegmentReader {
  /** Of one moment. A task that was never written to has `lastSeq` 0. */
  head(taskId: string): Promise<TaskHead>
  /** For many by a few queries. */
  heads(taskIds: string[]): Promise<Map<string, TaskHead>>
  totals(taskIds: string[]): Promise<Map<string, TaskTotals>>
  headers(taskId: string, range: HeaderRange): Promise<SegmentHeader[]>
  /** In the order asked for; what is gone (merged or deleted meanwhile) is left out. */
  bodies(taskId: string, firstSeqs: number[]): Promise<StoredBody[]>
  /** Headers across tasks, by `maxAt` falling. */
  recent(range: RecentRange): Promise<SegmentHeader[]>
  /** Tasks that were ever written to, also where nothing is left, by rising id, after this one. */
  taskIds(after: string, limit: number): Promise<string[]>
  close(): Promise<void>
}

export interface SegmentStore extends SegmentReader {
  /**
   * Durable when it resolves `ok`. One winner per (task, seq): who loses a race is told the head and tries again. This alone gives
   * one order and exactly-once on every store, without transactions.
   */
  append(taskId: string, expectedNextSeq: number, segments: NewSegment[]): Promise<AppendResult>
  /** Records how many lines a stream has. */
  endStream(taskId: string, streamId: string, endN: number): Promise<void>
  /**
   * Puts `merged` in the place of the segments `old`, all or nothing; false where one of `old` is gone or has another count by
   * now. A reader in the middle sees each line once. `merged` may hold fewer lines: that deletes.
   */
  replace(
    taskId: string,
    old: Pick<SegmentHeader, 'firstSeq' | 'count'>[],
    merged: PlacedSegment[],
  ): Promise<boolean>
  /** Deletes whole segments whose last seq is below `beforeSeq`, or all, in steps that never hold the writer for long; lines deleted. */
  remove(taskId: string, beforeSeq?: number): Promise<number>
  /**
   * Keeps segments of another store where they lay there. Where one begins already nothing changes, so that it may be repeated. Only
   * for a log that nobody else writes to.
   */
  place(taskId: string, placed: PlacedSegment[]): Promise<void>
  /** Raises what is known of a log to what another store knows; what is higher here stays. */
  raiseHead(taskId: string, head: TaskHead): Promise<void>
  /** Tasks with at least `least` raw segments, the most first: the compactor's work. */
  fragmented(least: number, limit: number): Promise<string[]>
}

/**
 * Bytes of any number under an id, which has letters, digits, `_` and `-` only. A blob grows by `write` and is whole once it is
 * sealed; only then it can be read. Memory does not grow with it, in either direction. A process writes a blob once at a time; where
 * several do, they must bring the same bytes, and one of them may be told CONFLICT.
 */
export interface BlobStore {
  /** How many bytes are kept, from the first on without a hole, also after a restart. 0 where there are none. */
  size(id: string): Promise<number>
  /**
   * Keeps what `chunks` brings at `offset`, which is `size` to go on, or 0 to begin anew; a chunk is asked for when there is room for
   * it, and must stay as it is. Where `chunks` throws, what came before it is kept and its error thrown.
   * @returns the size now
   * @throws KerutaError CONFLICT where `offset` is elsewhere or the blob is sealed, DISK_FULL, STORE_UNAVAILABLE
   */
  write(id: string, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<number>
  /**
   * Makes the blob whole, all or nothing, durable when it resolves; one without bytes, too. Repeated it changes nothing.
   * @param name what a program shows that looks into the store by itself
   * @throws KerutaError CONFLICT where other than `size` bytes are kept
   */
  seal(id: string, size: number, name: string): Promise<void>
  /**
   * Bytes `start` up to but not `end`, of a sealed blob. Destroy what is not read to its end.
   * @throws KerutaError NOT_FOUND where there is none
   */
  read(id: string, start: number, end: number): Promise<Readable>
  /** Sealed or not; nothing where there is none. */
  remove(id: string): Promise<void>
}
