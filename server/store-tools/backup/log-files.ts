import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HeaderRange, PlacedSegment, SegmentHeader, StoredBody, TaskHead } from '#server/store/store.ts'
import type { LogReader } from '../source.ts'
import { logPath } from './layout.ts'
import {
  appendHead,
  appendSegments,
  headerOf,
  type LogIndex,
  readBodies,
  readLogIndex,
  readTaskId,
} from './log-file.ts'

/** More than are copied at once. */
const KEPT = 16

/** The logs of a backup, a file each. */
export class LogFiles implements LogReader {
  readonly #folder: string
  readonly #indexes = new Map<string, Promise<LogIndex>>()
  #ids: Promise<string[]> | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  async head(taskId: string): Promise<TaskHead> {
    return (await this.#index(taskId)).head
  }

  async headers(
    taskId: string,
    { after = 0, before = Number.POSITIVE_INFINITY, limit }: HeaderRange,
  ): Promise<SegmentHeader[]> {
    const { segments } = await this.#index(taskId)
    const found: SegmentHeader[] = []
    for (let at = firstAbove(segments, after); at < segments.length && found.length < limit; at++) {
      const record = segments[at]!
      if (record.firstSeq >= before) break
      found.push(headerOf(taskId, record))
    }
    return found
  }

  async bodies(taskId: string, firstSeqs: number[]): Promise<StoredBody[]> {
    const wanted = new Set(firstSeqs)
    const { segments } = await this.#index(taskId)
    return readBodies(
      logPath(this.#folder, taskId),
      segments.filter(({ firstSeq }) => wanted.has(firstSeq)),
    )
  }

  async taskIds(after: string, limit: number): Promise<string[]> {
    this.#ids ??= this.#readIds()
    const ids = await this.#ids
    const from = ids.findIndex(id => id > after)
    return from < 0 ? [] : ids.slice(from, from + limit)
  }

  async place(taskId: string, placed: PlacedSegment[]): Promise<void> {
    await appendSegments(logPath(this.#folder, taskId), taskId, await this.#index(taskId), placed)
  }

  async raiseHead(taskId: string, head: TaskHead): Promise<void> {
    const index = await this.#index(taskId)
    if (index.whole && isSame(index.head, head)) return
    await appendHead(logPath(this.#folder, taskId), taskId, index, head)
  }

  async wipe(taskId: string): Promise<void> {
    await rm(logPath(this.#folder, taskId), { force: true })
    this.#indexes.delete(taskId)
  }

  #index(taskId: string): Promise<LogIndex> {
    let index = this.#indexes.get(taskId)
    this.#indexes.delete(taskId)
    index ??= readLogIndex(logPath(this.#folder, taskId))
    this.#indexes.set(taskId, index)
    const oldest = this.#indexes.keys().next().value
    if (this.#indexes.size > KEPT && oldest !== undefined) this.#indexes.delete(oldest)
    return index
  }

  async #readIds(): Promise<string[]> {
    const folder = join(this.#folder, 'logs')
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    const ids: string[] = []
    for (const name of names) {
      if (!name.endsWith('.log')) continue
      const taskId = await readTaskId(join(folder, name))
      if (taskId !== undefined) ids.push(taskId)
    }
    return ids.sort()
  }
}

function firstAbove(segments: LogIndex['segments'], after: number): number {
  let low = 0
  for (let high = segments.length; low < high; ) {
    const middle = (low + high) >> 1
    const { firstSeq, count } = segments[middle]!
    if (firstSeq + count - 1 > after) high = middle
    else low = middle + 1
  }
  return low
}

function isSame(a: TaskHead, b: TaskHead): boolean {
  if (a.lastSeq !== b.lastSeq || a.streams.size !== b.streams.size) return false
  return [...b.streams].every(
    ([id, { n, endN }]) => a.streams.get(id)?.n === n && a.streams.get(id)?.endN === endN,
  )
}
