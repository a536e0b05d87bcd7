import { Segment } from '#protocol/segment.ts'
import { decodeSegmentFrame, frameHeaderBytes, writeFrameHeader } from '#protocol/segment-frame.ts'
import type { SegmentWriter } from '#protocol/segment-writer.ts'
import { frameOf, type SpoolRecord } from './record.ts'

/**
 * One frame of the lines of several records that follow one another.
 * @param writer an empty one, and empty again at the end
 * @returns also how many of the records are in it: those that a leap of the clock parts from the first are not
 */
export function mergeRecords(
  writer: SegmentWriter,
  records: SpoolRecord[],
  take: (bytes: number) => Buffer,
): { frame: Buffer; count: number } {
  const frames = records.map(record => decodeSegmentFrame(frameOf(record)))
  for (const [count, frame] of frames.entries()) {
    const segment = new Segment(frame.segment)
    if (writer.addRange(segment) === segment.count) continue
    writer.finish()
    if (count > 1) return mergeRecords(writer, records.slice(0, count), take)
    return { frame: Buffer.from(frameOf(records[0]!)), count: 1 }
  }
  const { streamId, firstN } = frames[0]!
  return { frame: finishFrame(writer, streamId, firstN, 0, take), count: records.length }
}

/** Ends a segment within a frame, in memory that `take` gives, with `room` bytes left in front. */
export function finishFrame(
  writer: SegmentWriter,
  streamId: string,
  firstN: number,
  room: number,
  take: (bytes: number) => Buffer,
): Buffer {
  const at = room + frameHeaderBytes(streamId)
  let bytes: Buffer | undefined
  writer.finishInto(size => {
    bytes = take(at + size)
    return bytes.subarray(at)
  })
  writeFrameHeader(bytes!.subarray(room), streamId, firstN)
  return bytes!
}
