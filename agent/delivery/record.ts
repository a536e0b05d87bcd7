import { crc32 } from 'node:zlib'

/**
 * A record of the spool, little-endian: u32 bytes of the frame, u32 CRC-32 of what follows, f64 firstN, u32 count, and the frame
 * as it goes over the wire.
 */
export const RECORD_HEADER_BYTES = 20

export interface SpoolRecord {
  firstN: number
  count: number
  /** Header and frame in one piece. */
  bytes: Buffer
}

/** Fills in the header of a record whose frame stands behind it already. */
export function sealRecord(bytes: Buffer, firstN: number, count: number): SpoolRecord {
  bytes.writeUInt32LE(bytes.length - RECORD_HEADER_BYTES, 0)
  bytes.writeDoubleLE(firstN, 8)
  bytes.writeUInt32LE(count, 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return { firstN, count, bytes }
}

/** How many bytes the record has that begins with this header. */
export function recordBytes(header: Buffer): number {
  return RECORD_HEADER_BYTES + header.readUInt32LE(0)
}

/** Reads a record back; `undefined` where its checksum says that it was not written to its end. */
export function openRecord(bytes: Buffer): SpoolRecord | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || bytes.length !== recordBytes(bytes)) return undefined
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))) return undefined
  return { firstN: bytes.readDoubleLE(8), count: bytes.readUInt32LE(16), bytes }
}

export function frameOf(record: SpoolRecord): Buffer {
  return record.bytes.subarray(RECORD_HEADER_BYTES)
}

export function lastN(record: { firstN: number; count: number }): number {
  return record.firstN + record.count - 1
}
