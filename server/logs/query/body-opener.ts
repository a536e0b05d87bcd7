import { Buffer } from 'node:buffer'
import { constants, createZstdDecompress } from 'node:zlib'
import { Segment } from '#protocol/segment.ts'
import type { SegmentHeader, StoredBody } from '#server/store/store.ts'
import { LARGEST_SEGMENT, openBody } from './open-body.ts'

/** Memory that openers have given back. */
const spare: Buffer[] = []
const MOST_SPARE = 4

/** Opens one stored body after the other in the same memory, which halves the time of a scan. */
export class BodyOpener {
  #memory: Buffer | undefined

  /** The segment is good until the next call. */
  open(stored: StoredBody, header: Pick<SegmentHeader, 'count' | 'textBytes'>): Segment {
    if (stored.codec === 'raw') return new Segment(stored.body)
    this.#memory ??= spare.pop() ?? Buffer.allocUnsafeSlow(LARGEST_SEGMENT + 1)
    const length = decompressInto(this.#memory, stored.body)
    return length === undefined ? openBody(stored, header) : new Segment(this.#memory.subarray(0, length))
  }

  [Symbol.dispose](): void {
    if (this.#memory && spare.length < MOST_SPARE) spare.push(this.#memory)
    this.#memory = undefined
  }
}

/**
 * What `zstdDecompressSync` does below its surface. That makes a decoder and an output block for every call, and both cost more than the
 * decompression itself. These members are Node's own and undocumented; without them the documented way is taken.
 */
interface Decoder {
  destroyed: boolean
  _handle?: {
    writeSync?(
      flush: number,
      from: Uint8Array,
      at: number,
      length: number,
      to: Uint8Array,
      toAt: number,
      room: number,
    ): void
  }
  /** What room was left in the output, and how much of the input. */
  _writeState?: Uint32Array
}

let decoder: Decoder | undefined

/** Bytes written, `undefined` where this way is not open or the frame is broken. */
export function decompressInto(memory: Uint8Array, frame: Uint8Array): number | undefined {
  if (!decoder || decoder.destroyed) {
    // What is wrong with a frame is said by the documented way, which is tried next.
    decoder = createZstdDecompress().on('error', () => undefined) as unknown as Decoder
  }
  const { _handle: handle, _writeState: left } = decoder
  if (!handle?.writeSync || !left) return undefined
  handle.writeSync(constants.ZSTD_e_end, frame, 0, frame.length, memory, 0, memory.length)
  if (!decoder.destroyed && left[0]! > 0 && left[1] === 0) return memory.length - left[0]!
  decoder = undefined
  return undefined
}
