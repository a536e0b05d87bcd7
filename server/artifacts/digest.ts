import { createHash } from 'node:crypto'

/** Enough for an image's size behind what cameras write before it. */
const HEAD_BYTES = 256 * 1024

/** What is learnt of a file while its bytes pass by. */
export interface Digest {
  take(chunk: Uint8Array): void
  finish(): FileFacts
}

export interface FileFacts {
  size: number
  /** Hexadecimal. */
  sha256: string
  /** Its first bytes. */
  head: Buffer
}

export function createDigest(): Digest {
  const hash = createHash('sha256')
  const head: Buffer[] = []
  let headBytes = 0
  let size = 0
  return {
    take(chunk) {
      hash.update(chunk)
      size += chunk.length
      if (headBytes === HEAD_BYTES) return
      const part = Buffer.from(chunk.subarray(0, HEAD_BYTES - headBytes))
      head.push(part)
      headBytes += part.length
    },
    finish: () => ({ size, sha256: hash.digest('hex'), head: Buffer.concat(head) }),
  }
}
