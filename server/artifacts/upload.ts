import type { Artifact } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { BlobStore } from '#server/store/store.ts'
import { arriving } from './arriving.ts'
import { tooLarge } from './checks.ts'
import { createDigest, type Digest, type FileFacts } from './digest.ts'

export interface UploadDeps {
  blobs: BlobStore
  maxBytes: number
  /** Whether the sender of an artifact counts as gone after so long without a byte, ms. */
  isGone(id: string, silentMs: number): boolean
  onReceived(bytes: number): void
}

export interface Upload {
  /** Where in the file `body` belongs: 0 begins anew, as many as are kept goes on. */
  offset: number
  body: AsyncIterable<Uint8Array>
  /** Whether `body` may end before the file does. */
  isPart: boolean
  /** Of the whole file; undefined where its end is the body's. */
  size: number | undefined
}

/**
 * Keeps what an upload brings.
 * @returns what the file is, now that it is whole and sealed; undefined where more is to come
 * @throws KerutaError OUT_OF_ORDER where the bytes do not go on, with `receivedBytes`. BAD_REQUEST where they broke off; they are kept.
 * `NotAsSaid` where they are not what was announced
 */
export async function receive(
  deps: UploadDeps,
  { id, path, sha256 }: Artifact,
  upload: Upload,
): Promise<FileFacts | undefined> {
  const { blobs } = deps
  const standing = await blobs.size(id)
  // All of it where only the last answer was lost, or the server ended before it could say so.
  const isThere = standing > 0 && standing === upload.size
  if (!isThere && upload.offset !== 0 && upload.offset !== standing)
    throw new KerutaError(
      'OUT_OF_ORDER',
      `${standing} bytes are there: go on at ${standing}, or begin anew at 0`,
      {
        receivedBytes: standing,
      },
    )
  const digest = createDigest()
  const size = isThere ? standing : await write(deps, id, upload, digest)
  if (upload.size !== undefined && size < upload.size) {
    if (upload.isPart) return undefined
    throw new NotAsSaid(`the body had ${size} bytes, and ${upload.size} were announced`)
  }
  await blobs.seal(id, size, path)
  const isDigested = !isThere && upload.offset === 0
  const facts = isDigested ? digest.finish() : await readBack(blobs, id, size)
  if (sha256 === null || facts.sha256 === sha256) return facts
  throw new NotAsSaid(`the bytes have the sha256 ${facts.sha256}, and ${sha256} was announced`)
}

/** The file is not the one that was announced: nothing of it may stay. */
export class NotAsSaid extends KerutaError {
  constructor(message: string) {
    super('BAD_REQUEST', `${message}: nothing was kept, announce it again`)
  }
}

async function write(deps: UploadDeps, id: string, upload: Upload, digest: Digest): Promise<number> {
  const { blobs, maxBytes } = deps
  const { offset, size } = upload
  const chunks = arriving(upload.body, {
    isGone: silentMs => deps.isGone(id, silentMs),
    limit: (size ?? maxBytes) - offset,
    tooMuch: () =>
      size === undefined
        ? tooLarge(maxBytes)
        : new NotAsSaid(`the body had more than the ${size} bytes that were announced`),
    onBytes(chunk) {
      digest.take(chunk)
      deps.onReceived(chunk.length)
    },
  })
  try {
    return await blobs.write(id, offset, chunks)
  } catch (error) {
    // The log needs the room more.
    if (error instanceof KerutaError && error.code === 'DISK_FULL') await blobs.remove(id)
    throw error
  }
}

/** What lies in the store, not what arrived: parts of it came from another connection. */
async function readBack(blobs: BlobStore, id: string, size: number): Promise<FileFacts> {
  const digest = createDigest()
  for await (const chunk of await blobs.read(id, 0, size)) digest.take(chunk as Uint8Array)
  return digest.finish()
}
