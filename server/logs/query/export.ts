import type { ExportFormat } from '#protocol/log-answers.ts'
import type { CompiledFilter } from '#protocol/log-filter.ts'
import { ByteWriter } from './byte-writer.ts'
import { linesOf } from './entries.ts'
import { csvWriter } from './export-csv.ts'
import { jsonWriter, ndjsonWriter } from './export-json.ts'
import { textWriter } from './export-text.ts'
import { type ExportWriter, LastLine, type LineId } from './export-writer.ts'
import { segmentMatcher } from './match-segment.ts'
import { type QueryContext, scan } from './scan.ts'

export interface ExportRequest {
  taskId: string
  filter: CompiledFilter
  format: ExportFormat
  /** Absent with the first step; then what the step before answered. */
  from?: ExportPlace
}

/** Where an export stands. */
export interface ExportPlace {
  after: number
  /** The log's last seq when the export began: later lines do not belong to it. */
  end: number
  /** The line that was written last; absent where none was. */
  last?: LineId
}

export interface ExportStep {
  bytes: Uint8Array<ArrayBuffer>
  /** Absent where the file ends here. */
  next?: ExportPlace
}

const STEP_BYTES = 256 * 1024
const STEP_MS = 50

const WRITERS: Record<ExportFormat, (taskId: string) => ExportWriter> = {
  csv: csvWriter,
  json: jsonWriter,
  ndjson: ndjsonWriter,
  txt: textWriter,
}

/**
 * The next part of an export. Each step stands for itself, so that who reads slowly holds nothing, who leaves has nothing to cancel, and
 * a log that is deleted meanwhile ends the file as it should end.
 */
export async function exportStep(context: QueryContext, request: ExportRequest): Promise<ExportStep> {
  const { taskId, filter, format } = request
  const stopAt = performance.now() + STEP_MS
  const matcher = segmentMatcher(filter)
  const writer = WRITERS[format](taskId)
  const out = new ByteWriter()
  const { lastSeq } = request.from ? { lastSeq: request.from.end } : await context.reader.head(taskId)
  const place = request.from ?? { after: 0, end: lastSeq }
  const last = new LastLine(place.last)
  if (!request.from) out.ascii(writer.head)
  for await (const piece of scan(
    context,
    taskId,
    { after: place.after, before: place.end + 1, order: 'asc' },
    header => matcher.headerCount(header) !== 0,
  )) {
    const { segment, header, to } = piece
    if (segment) {
      for (const line of linesOf(piece, matcher, 'asc')) {
        writer.line(out, segment, line, header.firstSeq, last)
        last.set(segment, line, header.firstSeq)
      }
    }
    place.after = header.firstSeq + to - 1
    if (out.length >= STEP_BYTES || performance.now() >= stopAt)
      return { bytes: out.finish(), next: { ...place, last: last.id() } }
  }
  out.ascii(writer.tail(last))
  return { bytes: out.finish() }
}
