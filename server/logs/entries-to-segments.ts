import { isUtf8 } from 'node:buffer'
import { LEVELS, type NewEntry, SOURCES } from '#protocol/log.ts'
import type { Segment } from '#protocol/segment.ts'
import { checkSegment, type SegmentSummary } from '#protocol/segment-check.ts'
import { type EntryExtra, FLAG_CONTINUED, FLAG_OVERWRITES, SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'

/** Entries as strangers post them, as segments: usually one, more where they are too many or too far apart in time. */
export function segmentsOf(
  entries: NewEntry[],
  now: number,
): { segment: Segment; summary: SegmentSummary }[] {
  const writer = new SegmentWriter()
  const segments: { segment: Segment; summary: SegmentSummary }[] = []
  const finish = () => segments.push(checkSegment(writer.finish(), isUtf8))
  for (const entry of entries) {
    const at = entry.timestamp ? Date.parse(entry.timestamp) : now
    const tag = tagOf(entry)
    const message = entry.message.toWellFormed()
    if (writer.addString(message, at, tag, entry.lineNumber ?? 0, extraOf(entry))) continue
    finish()
    writer.addString(message, at, tag, entry.lineNumber ?? 0, extraOf(entry))
  }
  finish()
  return segments
}

function tagOf({ level, source, metadata }: NewEntry): number {
  const continued = metadata?.continued === true ? FLAG_CONTINUED : 0
  const overwrites = metadata?.overwrites === true ? FLAG_OVERWRITES : 0
  return LEVELS.indexOf(level) | (SOURCES.indexOf(source) << SOURCE_SHIFT) | continued | overwrites
}

function extraOf(entry: NewEntry): EntryExtra | undefined {
  const { metadata, step, durationMs } = entry
  if (!metadata && !step && durationMs == null) return undefined
  return { metadata: metadata ?? undefined, step: step ?? undefined, durationMs: durationMs ?? undefined }
}
