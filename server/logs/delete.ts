import { isUtf8 } from 'node:buffer'
import { zstdCompressSync } from 'node:zlib'
import type { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { sliceSegment } from '#protocol/segment-writer.ts'
import type { SegmentHeader, SegmentStore } from '#server/store/store.ts'
import { openBody } from './query/open-body.ts'

const HEADERS_AT_ONCE = 128
/** Whole segments that are deleted in one step. */
const MOST_AT_ONCE = 32

/**
 * Deletes a task's log, or every entry whose time is before `before`, exactly, also where times do not rise. Each step rewrites few
 * segments, so that writers never wait long. `seq` goes on where it was.
 * @param before ms since the epoch
 * @returns how many entries were deleted
 */
export async function deleteLogs(
  segments: SegmentStore,
  taskId: string,
  before?: number | Date,
): Promise<number> {
  if (before === undefined) return deleteAll(segments, taskId)
  const cutoff = Number(before)
  const { lastSeq } = await segments.head(taskId)
  let deleted = await removeBeginning(segments, taskId, cutoff, lastSeq)
  let after = 0
  for (;;) {
    const range = { after, before: lastSeq + 1, order: 'asc' as const, limit: HEADERS_AT_ONCE }
    const headers = await segments.headers(taskId, range)
    if (headers.length === 0) return deleted
    for (let at = 0; at < headers.length; ) {
      const step = nextStep(headers, at, cutoff)
      const gone = await removeOld(segments, taskId, step, cutoff)
      // Where they were merged or deleted meanwhile, the headers are read again.
      if (gone === undefined) break
      deleted += gone
      at += step.length
      after = lastOf(step.at(-1)!)
    }
  }
}

/** What there is by now. Lines that were merged with later ones meanwhile are cut off from those. */
async function deleteAll(segments: SegmentStore, taskId: string): Promise<number> {
  const { lastSeq } = await segments.head(taskId)
  let deleted = 0
  for (;;) {
    deleted += await segments.remove(taskId, lastSeq + 1)
    const range = { before: lastSeq + 1, order: 'asc' as const, limit: 1 }
    const [header] = await segments.headers(taskId, range)
    if (!header) return deleted
    const later = lastSeq + 1 - header.firstSeq
    const gone = await keepOnly(segments, taskId, header, ({ count }) => [[Math.min(later, count), count]])
    deleted += gone ?? 0
  }
}

/** What is old from the first line on goes in one call. */
async function removeBeginning(
  segments: SegmentStore,
  taskId: string,
  cutoff: number,
  lastSeq: number,
): Promise<number> {
  let after = 0
  for (;;) {
    const range = { after, before: lastSeq + 1, order: 'asc' as const, limit: HEADERS_AT_ONCE }
    const headers = await segments.headers(taskId, range)
    const young = headers.find(header => header.maxAt >= cutoff)
    if (!young && headers.length === HEADERS_AT_ONCE) after = lastOf(headers.at(-1)!)
    else return segments.remove(taskId, young ? young.firstSeq : lastSeq + 1)
  }
}

/** Some segments without a line to keep, or one segment. */
function nextStep(headers: SegmentHeader[], from: number, cutoff: number): SegmentHeader[] {
  const kept = headers.findIndex((header, at) => at >= from && header.maxAt >= cutoff)
  const end = Math.min(kept < 0 ? headers.length : kept, from + MOST_AT_ONCE)
  return headers.slice(from, Math.max(end, from + 1))
}

/** Lines deleted; `undefined` where a segment is not there any more. */
async function removeOld(
  segments: SegmentStore,
  taskId: string,
  step: SegmentHeader[],
  cutoff: number,
): Promise<number | undefined> {
  const [first] = step
  if (!first || first.minAt >= cutoff) return 0
  if (first.maxAt < cutoff) {
    const replaced = await segments.replace(taskId, step, [])
    return replaced ? step.reduce((sum, header) => sum + header.count, 0) : undefined
  }
  return keepOnly(segments, taskId, first, segment => youngRuns(segment, cutoff))
}

type Runs = [from: number, to: number][]

/** Lines deleted; `undefined` where the segment is not there any more. */
async function keepOnly(
  segments: SegmentStore,
  taskId: string,
  header: SegmentHeader,
  runsOf: (segment: Segment) => Runs,
): Promise<number | undefined> {
  const [stored] = await segments.bodies(taskId, [header.firstSeq])
  const segment = stored && openBody(stored, header)
  if (!stored || segment?.count !== header.count) return undefined
  const kept = runsOf(segment)
    .filter(([from, to]) => from < to)
    .map(([from, to]) => {
      const { segment: part, summary } = checkSegment(sliceSegment(segment, from, to).bytes, isUtf8)
      const body = stored.codec === 'zstd' ? zstdCompressSync(part.bytes) : part.bytes
      return { firstSeq: header.firstSeq + from, summary, codec: stored.codec, body }
    })
  const left = kept.reduce((sum, part) => sum + part.summary.count, 0)
  return (await segments.replace(taskId, [header], kept)) ? segment.count - left : undefined
}

/** Lines to keep, as runs `from` … `to - 1`. */
function youngRuns(segment: Segment, cutoff: number): Runs {
  const runs: Runs = []
  let from = -1
  for (let line = 0; line <= segment.count; line++) {
    const young = line < segment.count && segment.time(line) >= cutoff
    if (young && from < 0) from = line
    if (young || from < 0) continue
    runs.push([from, line])
    from = -1
  }
  return runs
}

const lastOf = (header: SegmentHeader) => header.firstSeq + header.count - 1
