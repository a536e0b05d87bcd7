import { zstdDecompressSync } from 'node:zlib'
import { Segment } from '#protocol/segment.ts'
import {
  COLUMN_BYTES,
  HEADER_BYTES,
  MAX_EXTRA_BYTES,
  MAX_LINES,
  MAX_TEXT_BYTES,
} from '#protocol/segment-layout.ts'
import type { SegmentHeader, StoredBody } from '#server/store/store.ts'

export const LARGEST_SEGMENT = HEADER_BYTES + MAX_LINES * COLUMN_BYTES + MAX_TEXT_BYTES + MAX_EXTRA_BYTES

/** A stored body as a segment with memory of its own. */
export function openBody(stored: StoredBody, header: Pick<SegmentHeader, 'count' | 'textBytes'>): Segment {
  if (stored.codec === 'raw') return new Segment(stored.body)
  // Given its size, the decoder fills one buffer instead of joining many.
  const size = HEADER_BYTES + header.count * COLUMN_BYTES + header.textBytes
  const bytes = zstdDecompressSync(stored.body, { chunkSize: size + 64, maxOutputLength: LARGEST_SEGMENT })
  return new Segment(bytes)
}
