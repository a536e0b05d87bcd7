import { isUtf8 } from 'node:buffer'
import { zstdCompressSync } from 'node:zlib'
import { checkSegment, type SegmentSummary } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { Codec, SegmentHeader, StoredBody } from '#server/store/store.ts'
import { openBody } from './query/open-body.ts'

/** Text of a merged segment: large enough to compress well, small enough to open for a page. */
const MERGED_TEXT_BYTES = 256 * 1024

export interface MergedSegment {
  firstSeq: number
  summary: SegmentSummary
  codec: Codec
  body: Uint8Array
}

/**
 * The same lines in fewer, compressed segments.
 * @param stored neighbours without a gap in seq, in order
 * @throws SegmentError or zlib's error where a body is broken
 */
export function mergeSegments(stored: (StoredBody & SegmentHeader)[]): MergedSegment[] {
  const merged: MergedSegment[] = []
  const writer = new SegmentWriter({ textBytes: MERGED_TEXT_BYTES })
  let firstSeq = stored[0]!.firstSeq
  const finish = () => {
    const bytes = writer.finish()
    const { summary } = checkSegment(bytes, isUtf8)
    merged.push({ firstSeq, summary, codec: 'zstd', body: new Uint8Array(zstdCompressSync(bytes)) })
    firstSeq += summary.count
  }
  for (const one of stored) {
    const segment = openBody(one, one)
    for (let from = 0; from < segment.count; ) {
      from = writer.addRange(segment, from)
      if (from < segment.count) finish()
    }
  }
  finish()
  return merged
}
