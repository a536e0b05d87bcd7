import { Segment } from '#protocol/segment.ts'
import { decodeSegmentFrame, frameHeaderBytes, writeFrameHeader } from '#protocol/segment-frame.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { frameOf, type SpoolRecord } from './record.ts'

/** One frame of the lines of several records that follow one another. */
export function mergeRecords(records: SpoolRecord[], take: (bytes: number) => Buffer): Buffer {
  const writer = new SegmentWriter({ textBytes: Number.MAX_SAFE_INTEGER })
  let streamId = ''
  for (const record of records) {
    const frame = decodeSegmentFrame(frameOf(record))
    streamId = frame.streamId
    writer.addRange(new Segment(frame.segment))
  }
  return finishFrame(writer, streamId, records[0]!.firstN, 0, take)
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
