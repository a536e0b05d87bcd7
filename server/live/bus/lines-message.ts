import { Segment } from '#protocol/segment.ts'

/** Origin and first seq, before the bytes of the segment. */
const LEAD_BYTES = 16
export const ORIGIN_BYTES = 8

/** Lines as they travel between servers: whose they are, where they stand, and the segment as it is stored. */
export function encodeLines(origin: Buffer, firstSeq: number, { bytes }: Segment): Buffer {
  const message = Buffer.allocUnsafe(LEAD_BYTES + bytes.length)
  origin.copy(message)
  message.writeDoubleBE(firstSeq, ORIGIN_BYTES)
  message.set(bytes, LEAD_BYTES)
  return message
}

/** @returns undefined for own messages */
export function decodeLines(
  message: Buffer,
  ownOrigin: Buffer,
): { firstSeq: number; segment: Segment } | undefined {
  if (ownOrigin.equals(message.subarray(0, ORIGIN_BYTES))) return undefined
  const firstSeq = message.readDoubleBE(ORIGIN_BYTES)
  return { firstSeq, segment: new Segment(message.subarray(LEAD_BYTES)) }
}
