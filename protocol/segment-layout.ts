/**
 * A segment is a run of consecutive lines of one task as one binary body, by column, little-endian:
 *
 * | offset | type | field |
 * | --- | --- | --- |
 * | 0 | u8 × 4 | `K` `S` `G` and the version, 1 |
 * | 4 | u32 | count: lines, 1 … MAX_LINES |
 * | 8 | f64 | base time, whole milliseconds since the epoch |
 * | 16 | u32 | text bytes |
 * | 20 | u32 | extra bytes |
 * | 24 | u32 × 3 | line number of the first stdout, stderr and agent line; 0: those lines carry none |
 * | 36 | i32 × count | time of each line, ms after the base time |
 * | … | u32 × count | end of each line in the text, past its closing newline |
 * | … | u8 × count | tag: level (0–4) + 8 × source (0–2) + 32 if continued + 64 if it overwrites |
 * | … | text | UTF-8, every line closed by one `\n` that is not part of its message |
 * | … | extra | UTF-8 JSON, or nothing: `[[index, {metadata?, step?, durationMs?, lineNumber?}], …]`, index rising |
 *
 * Line numbers count up by themselves, source by source. A continued or overwriting line has the number of the line before it.
 * An explicit `lineNumber` in the extra part restarts the count; `null` ends it.
 */
export const SEGMENT_VERSION = 1
export const HEADER_BYTES = 36
export const COLUMN_BYTES = 9

export const MAX_LINES = 65_536
/** Largest text of a segment on the wire and of a merged one at rest. */
export const MAX_TEXT_BYTES = 1024 * 1024
export const MAX_EXTRA_BYTES = 1024 * 1024

export const LEVEL_MASK = 0x07
export const SOURCE_SHIFT = 3
export const SOURCE_MASK = 0x18
/** The line goes on where the entry before it of the same source stopped (a split long line, a completed partial one). */
export const FLAG_CONTINUED = 0x20
/** The line replaces the entry before it of the same source (a progress bar redrawn after a carriage return). */
export const FLAG_OVERWRITES = 0x40

export const NEWLINE = 10

/** The rare rest of an entry. */
export interface EntryExtra {
  metadata?: Record<string, unknown>
  step?: string
  durationMs?: number
  lineNumber?: number | null
}
export type ExtraList = [index: number, extra: EntryExtra][]

/** Why bytes are not a segment. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError'
}
