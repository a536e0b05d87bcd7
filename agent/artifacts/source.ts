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

/** The file is not what it was when it was opened. */
export class ChangedError extends Error {}

/** A file as it is when it is opened, text without secrets. It may go on growing: what is added since is left out. */
export interface Version {
  size: number
  /** Where it is known before the file is sent. */
  sha256: string | undefined
  /** From this byte on, to `size`. @throws ChangedError where they are gone, while they are read */
  bytes(from: number): AsyncIterable<Buffer>
  /** The hash, by what was sent where that was all of it, else by reading the file. */
  digest(): Promise<string>
}

/** Of larger files the hash is taken while they are sent. */
const HASHED_FIRST_BYTES = 8 * 1024 * 1024

/** @param root the file must lie in whenever it is opened, whatever links say by then */
export async function openVersion(
  file: Buffer,
  root: string | undefined,
  secrets: Secrets,
): Promise<Version> {
  const handle = await openFile(file, root)
  try {
    const { size: length } = await handle.stat()
    const isMasked = secrets.values.length > 0 && (await isText(handle))
    const source = { file, root, length, secrets: isMasked ? secrets : undefined }
    if (length > HASHED_FIRST_BYTES && !isMasked) return unhashed(source)
    const { size, sha256 } = await measure(handle, length, source.secrets)
    return { size, sha256, bytes: from => again(source, from, size), digest: async () => sha256 }
  } finally {
    await handle.close()
  }
}

interface Source {
  file: Buffer
  root: string | undefined
  /** How much of it is read. */
  length: number
  /** To be masked. */
  secrets: Secrets | undefined
}

function unhashed(source: Source): Version {
  const { file, root, length } = source
  let sent: string | undefined
  return {
    size: length,
    sha256: undefined,
    async *bytes(from) {
      const hash = from === 0 ? createHash('sha256') : undefined
      for await (const chunk of again(source, from, length)) {
        hash?.update(chunk)
        yield chunk
      }
      sent = hash?.digest('hex')
    },
    async digest() {
      if (sent !== undefined) return sent
      const handle = await openFile(file, root)
      try {
        return (await measure(handle, length, undefined)).sha256
      } finally {
        await handle.close()
      }
    },
  }
}

async function measure(handle: FileHandle, length: number, secrets: Secrets | undefined) {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of content(handle, length, secrets)) {
    hash.update(chunk)
    size += chunk.length
  }
  return { size, sha256: hash.digest('hex') }
}

/**
 * Copies a file as it would be sent: text without secrets.
 * @throws ChangedError, what the file system throws
 */
export async function copyTo(
  target: string,
  file: Buffer,
  root: string | undefined,
  secrets: Secrets | undefined,
): Promise<void> {
  const handle = await openFile(file, root)
  try {
    const { size } = await handle.stat()
    const masks = secrets !== undefined && secrets.values.length > 0 && (await isText(handle))
    const source = content(handle, size, masks ? secrets : undefined)
    await pipeline(source, createWriteStream(target, { mode: 0o600 }))
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
  try {
    await copyTo(copy, file, root, undefined)
  } catch (error) {
    await remove()
    throw error
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
  { file, root, length, secrets }: Source,
  from: number,
  size: number,
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

/** Whether secrets in it would be masked. */
export async function isTextFile(file: Buffer): Promise<boolean> {
  const handle = await openFile(file, undefined)
  try {
    return await isText(handle)
  } finally {
    await handle.close()
  }
}

/** What has no NUL byte at its beginning: secrets of other files than text are not found by searching their bytes. */
async function isText(handle: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(HEAD_BYTES)
  const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
  return !head.subarray(0, bytesRead).includes(0)
}
