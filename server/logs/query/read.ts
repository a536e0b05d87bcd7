import type { CompiledFilter } from '#protocol/log-filter.ts'
import { sliceSegment } from '#protocol/segment-writer.ts'
import type { ReadAnswer } from '../queries.ts'
import { entriesOf, linesOf } from './entries.ts'
import { segmentMatcher } from './match-segment.ts'
import { type QueryContext, scan } from './scan.ts'

export interface ReadRequest {
  taskId: string
  filter: CompiledFilter
  after: number
}

const MOST_BYTES = 256 * 1024
/** After this a reader is answered with what has been fetched: it hears where it stands, and waits for no slow store. */
const MOST_MS = 200
/** One that catches up with an agent finds many small segments. */
const FIRST_HEADERS = 64

/** What follows a seq, as segments where everything is wanted, else as entries. */
export async function readOn(
  context: QueryContext,
  { taskId, filter, after }: ReadRequest,
): Promise<ReadAnswer> {
  const stopAt = performance.now() + MOST_MS
  const matcher = segmentMatcher(filter)
  const { lastSeq } = await context.reader.head(taskId)
  const answer: ReadAnswer = filter.matchesAll
    ? { segments: [], cursor: after, lastSeq }
    : { entries: [], cursor: after, lastSeq }
  let size = 0
  for await (const piece of scan(
    context,
    taskId,
    { after, order: 'asc', firstHeaders: FIRST_HEADERS },
    header => matcher.headerCount(header) !== 0,
  )) {
    const { header, segment, from, to } = piece
    const lines = filter.matchesAll ? [] : linesOf(piece, matcher, 'asc')
    answer.entries?.push(...entriesOf(piece, taskId, lines))
    if (segment && answer.segments) {
      const { bytes } = sliceSegment(segment, from, to)
      // A whole segment lies in memory that the scan uses again.
      const own = bytes === segment.bytes ? new Uint8Array(bytes) : bytes
      answer.segments.push({ firstSeq: header.firstSeq + from, bytes: own })
    }
    answer.cursor = header.firstSeq + to - 1
    const bytes = segment?.bytes.length ?? 0
    size += answer.segments ? bytes : (bytes * lines.length) / header.count
    if (size >= MOST_BYTES || (piece.isLastOfBatch && performance.now() >= stopAt)) {
      answer.lastSeq = Math.max(lastSeq, answer.cursor)
      return answer
    }
  }
  answer.cursor = answer.lastSeq = Math.max(lastSeq, answer.cursor)
  return answer
}
