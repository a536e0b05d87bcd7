import { SegmentError } from './segment-layout.ts'

/**
 * The binary frame in which an agent sends a segment, little-endian:
 *
 * | offset | type | field |
 * | --- | --- | --- |
 * | 0 | u8 | 1: a segment |
 * | 1 | u8 | length of the stream id, 1 … 64 |
 * | 2 | u16 | 0 |
 * | 4 | f64 | firstN: number of the segment's first line within its stream, counted from 1 |
 * | 12 | ASCII | the stream id, padded with zeros to a multiple of 4 |
 * | … | | the segment |
 */
export interface SegmentFrame {
  streamId: string
  firstN: number
  segment: Uint8Array
}

const FRAME_SEGMENT = 1
const padded = (length: number) => (length + 3) & ~3

export function encodeSegmentFrame({ streamId, firstN, segment }: SegmentFrame): Uint8Array {
  const at = frameHeaderBytes(streamId)
  const bytes = new Uint8Array(at + segment.length)
  writeFrameHeader(bytes, streamId, firstN)
  bytes.set(segment, at)
  return bytes
}

/** Where the segment begins in a frame of this stream. */
export function frameHeaderBytes(streamId: string): number {
  return 12 + padded(streamId.length)
}

/** Writes what stands before the segment, so that a segment can be finished in place. */
export function writeFrameHeader(bytes: Uint8Array, streamId: string, firstN: number): void {
  bytes.fill(0, 0, frameHeaderBytes(streamId))
  bytes[0] = FRAME_SEGMENT
  bytes[1] = streamId.length
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setFloat64(4, firstN, true)
  for (let index = 0; index < streamId.length; index++) bytes[12 + index] = streamId.charCodeAt(index)
}

/** @throws SegmentError that says what is wrong; the segment itself is not looked at */
export function decodeSegmentFrame(bytes: Uint8Array): SegmentFrame {
  if (bytes.length < 16) throw new SegmentError(`a frame of ${bytes.length} bytes is too short`)
  if (bytes[0] !== FRAME_SEGMENT) throw new SegmentError(`unknown binary frame type ${bytes[0]}`)
  const length = bytes[1]!
  const start = 12 + padded(length)
  if (length < 1 || length > 64 || start > bytes.length)
    throw new SegmentError(`stream id length ${length} is not within 1 to 64`)
  const streamId = String.fromCharCode(...bytes.subarray(12, 12 + length))
  if (!/^[A-Za-z0-9._:-]+$/.test(streamId))
    throw new SegmentError('the stream id has other characters than A-Z a-z 0-9 . _ : -')
  const firstN = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(4, true)
  if (!Number.isSafeInteger(firstN) || firstN < 1)
    throw new SegmentError('firstN is not a whole number from 1')
  return { streamId, firstN, segment: bytes.subarray(start) }
}
