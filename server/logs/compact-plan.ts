import { MAX_LINES } from '#protocol/segment-layout.ts'
import type { SegmentHeader } from '#server/store/store.ts'

/** Compressed segments of at least this text are left as they are. */
const ENOUGH_TEXT_BYTES = 128 * 1024
const ENOUGH_LINES = MAX_LINES / 2
/** One replacement takes at most this much, so that it holds the store's writer for milliseconds. */
const STEP_TEXT_BYTES = 2 * 1024 * 1024
const STEP_SEGMENTS = 512

/**
 * The first run of neighbours that is worth merging: small or uncompressed ones without a gap in seq.
 * @param headers of one task, in rising seq
 * @returns the run, empty where there is none, and after which seq to look on
 */
export function planMerge(headers: SegmentHeader[]): { run: SegmentHeader[]; after: number } {
  let run: SegmentHeader[] = []
  let textBytes = 0
  for (const header of headers) {
    const last = run.at(-1)
    const joins = !last || header.firstSeq === lastSeqOf(last) + 1
    const full = run.length >= STEP_SEGMENTS || (last && textBytes + header.textBytes > STEP_TEXT_BYTES)
    if (last && (!joins || full || isFinished(header))) {
      if (isWorthIt(run)) return { run, after: lastSeqOf(last) }
      run = []
      textBytes = 0
    }
    if (isFinished(header)) continue
    run.push(header)
    textBytes += header.textBytes
  }
  const seen = headers.at(-1)
  return { run: isWorthIt(run) ? run : [], after: seen ? lastSeqOf(seen) : 0 }
}

function isFinished({ codec, textBytes, count }: SegmentHeader): boolean {
  return codec === 'zstd' && (textBytes >= ENOUGH_TEXT_BYTES || count >= ENOUGH_LINES)
}

function isWorthIt(run: SegmentHeader[]): boolean {
  return run.length > 1 || run.some(({ codec }) => codec === 'raw')
}

function lastSeqOf({ firstSeq, count }: SegmentHeader): number {
  return firstSeq + count - 1
}
