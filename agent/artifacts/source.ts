import { createHash } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { type FileHandle, mkdtemp, open, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Secrets } from '../mask/secrets.ts'
import { maskTransform } from '../mask/transform.ts'

const READ_BYTES = 256 * 1024
const HEAD_BYTES = 64 * 1024

/** The file is not what it was when it was measured. */
export class ChangedError extends Error {}

/** What is uploaded of a file: its bytes as it was measured, text without secrets. */
export interface Measured {
  size: number
  sha256: string
  /** From this byte on, to `size`. @throws ChangedError where they are gone, while they are read */
  bytes(from: number): AsyncIterable<Buffer>
}

/**
 * Reads a file once to know its size and hash. It may go on growing: what is added since is left out.
 * @param root the file must lie in when it is opened, whatever links say by then
 */
export async function measure(file: Buffer, root: string | undefined, secrets: Secrets): Promise<Measured> {
  const handle = await openFile(file, root)
  try {
    const { size: length } = await handle.stat()
    const isMasked = secrets.values.length > 0 && (await isText(handle))
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of content(handle, length, isMasked ? secrets : undefined)) {
      hash.update(chunk)
      size += chunk.length
    }
    return {
      size,
      sha256: hash.digest('hex'),
      bytes: from => again(file, root, { from, length, size }, isMasked ? secrets : undefined),
    }
  } finally {
    await handle.close()
  }
}

/** A copy that nobody changes any more, for a file that does not hold still. */
export async function snapshot(
  file: Buffer,
  root: string | undefined,
): Promise<{ file: Buffer; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'keruta-artifact-'))
  const copy = join(dir, 'copy')
  const remove = () => rm(dir, { recursive: true, force: true })
  const handle = await openFile(file, root)
  try {
    const { size } = await handle.stat()
    await pipeline(content(handle, size, undefined), createWriteStream(copy, { mode: 0o600 }))
  } catch (error) {
    await remove()
    throw error
  } finally {
    await handle.close()
  }
  return { file: Buffer.from(copy), remove }
}

async function openFile(file: Buffer, root: string | undefined): Promise<FileHandle> {
  // Without waiting: what was a file may be a pipe by now.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const isFile = (await handle.stat()).isFile()
  const place = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined)
  if (isFile && (root === undefined || place === undefined || place.startsWith(`${root}/`))) return handle
  await handle.close()
  throw new ChangedError('it is no file of this folder any more')
}

async function* again(
  file: Buffer,
  root: string | undefined,
  { from, length, size }: { from: number; length: number; size: number },
  secrets: Secrets | undefined,
): AsyncGenerator<Buffer> {
  const handle = await openFile(file, root)
  try {
    let at = secrets ? 0 : from
    for await (const chunk of content(handle, length, secrets, at)) {
      const wanted = chunk.subarray(Math.max(0, from - at), Math.max(0, size - at))
      at += chunk.length
      if (wanted.length > 0) yield wanted
    }
    if (at !== size) throw new ChangedError('it changed while it was uploaded')
  } finally {
    await handle.close()
  }
}

function content(
  handle: FileHandle,
  length: number,
  secrets: Secrets | undefined,
  start = 0,
): AsyncIterable<Buffer> {
  if (length <= start) return Readable.from([])
  const raw = handle.createReadStream({
    start,
    end: length - 1,
    highWaterMark: READ_BYTES,
    autoClose: false,
  })
  return secrets ? raw.pipe(maskTransform(secrets)) : raw
}

/** What has no NUL byte at its beginning: secrets of other files than text are not found by searching their bytes. */
async function isText(handle: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(HEAD_BYTES)
  const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
  return !head.subarray(0, bytesRead).includes(0)
}
