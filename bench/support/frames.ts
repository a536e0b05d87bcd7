import { frameHeaderBytes, writeFrameHeader } from '#protocol/segment-frame.ts'
import { corpusEntries, corpusSegment } from './corpus.ts'
import type { Frames } from './sender.ts'

/**
 * Binary frames of the corpus's lines, encoded before anything is measured; after `distinct` frames the lines come again.
 * @param streamId a new one for each run, or the server would know the lines already
 */
export function segmentFrames(
  streamId: string,
  lines: number,
  linesPerFrame: number,
  distinct = 256,
): Frames {
  const at = frameHeaderBytes(streamId)
  const encoded = segments(linesPerFrame, distinct).map(segment => {
    const frame = new Uint8Array(at + segment.length)
    frame.set(segment, at)
    return frame
  })
  return {
    count: lines / linesPerFrame,
    bytes: encoded[0]!.length,
    linesUpTo: index => (index + 1) * linesPerFrame,
    at(index) {
      const frame = encoded[index % encoded.length]!
      writeFrameHeader(frame, streamId, index * linesPerFrame + 1)
      return frame
    },
  }
}

/** The same lines as JSON, a text frame of entries each. */
export function jsonFrames(streamId: string, lines: number, linesPerFrame: number, distinct = 64): Frames {
  const encoded = Array.from({ length: distinct }, (_, index) =>
    JSON.stringify({
      type: 'logs',
      streamId,
      entries: corpusEntries(index * linesPerFrame + 1, linesPerFrame),
    }),
  )
  return {
    count: lines / linesPerFrame,
    bytes: encoded[0]!.length,
    linesUpTo: index => (index + 1) * linesPerFrame,
    at: index => encoded[index % encoded.length]!,
  }
}

const made = new Map<string, Uint8Array[]>()

function segments(linesPerFrame: number, distinct: number): Uint8Array[] {
  const key = `${linesPerFrame}:${distinct}`
  const known = made.get(key)
  if (known) return known
  const list = Array.from({ length: distinct }, (_, index) =>
    corpusSegment(index * linesPerFrame, linesPerFrame),
  )
  made.set(key, list)
  return list
}
