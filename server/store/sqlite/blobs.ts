import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { KerutaError } from '#protocol/errors.ts'
import type { BlobStore } from '#server/store/store.ts'
import { diskFull, fileError } from './errors.ts'

/** What stays free for the log, whose lines matter more. */
const LEAVE_FREE_BYTES = 16 * 1024 * 1024
/** So many are written between two looks at the disk. */
const LOOK_AFTER_BYTES = 4 * 1024 * 1024
const READ_BYTES = 256 * 1024

/** A file each in `folder`, whose name ends in `.part` until it is sealed. */
export async function openBlobs(folder: string): Promise<BlobStore> {
  await guarded(() => mkdir(folder, { recursive: true, mode: 0o700 }))
  const whole = (id: string) => join(folder, safe(id))
  const part = (id: string) => `${whole(id)}.part`

  return {
    size: async id => (await sizeOf(whole(id))) ?? (await sizeOf(part(id))) ?? 0,
    async write(id, offset, chunks) {
      if ((await sizeOf(whole(id))) !== undefined) throw conflict(id, 'is whole already')
      const kept = (await sizeOf(part(id))) ?? 0
      if (offset !== 0 && offset !== kept) throw conflict(id, `goes on at ${kept}, not at ${offset}`)
      const file = await guarded(() => open(part(id), kept === 0 ? 'w' : 'r+', 0o600))
      try {
        await guarded(() => file.truncate(offset))
        return await writeAll(file, offset, chunks, () => hasRoom(folder))
      } finally {
        await file.close()
      }
    },
    async seal(id, size) {
      const sealed = await sizeOf(whole(id))
      const kept = sealed ?? (await sizeOf(part(id))) ?? 0
      if (kept !== size) throw conflict(id, `has ${kept} bytes, not ${size}`)
      if (sealed !== undefined) return
      await guarded(async () => {
        await synced(part(id), size === 0 ? 'a' : 'r+')
        await rename(part(id), whole(id))
        await synced(folder, 'r')
      })
    },
    read: (id, start, end) =>
      guarded(async () => {
        const file = await open(whole(id), 'r')
        if (start < end) return file.createReadStream({ start, end: end - 1, highWaterMark: READ_BYTES })
        await file.close()
        return Readable.from([])
      }),
    remove: id =>
      guarded(async () => {
        await rm(part(id), { force: true })
        await rm(whole(id), { force: true })
      }),
  }
}

async function writeAll(
  file: FileHandle,
  offset: number,
  chunks: AsyncIterable<Uint8Array>,
  checkRoom: () => Promise<void>,
): Promise<number> {
  let at = offset
  let lookAt = offset
  // While one chunk is written the next may come.
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const chunk of chunks) {
      await writing
      if (at >= lookAt) {
        await checkRoom()
        lookAt = at + LOOK_AFTER_BYTES
      }
      writing = writeChunk(file, chunk, at)
      writing.catch(() => {})
      at += chunk.length
    }
  } finally {
    await writing
  }
  return at
}

async function writeChunk(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await guarded(() => file.write(chunk, done, chunk.length - done, at + done))
    done += bytesWritten
  }
}

async function hasRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await guarded(() => statfs(folder))
  if (bavail * bsize < LEAVE_FREE_BYTES) throw diskFull()
}

async function synced(path: string, flags: string): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return guarded(async () => {
    try {
      return (await stat(path)).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  })
}

function safe(id: string): string {
  if (/^[\w-]{1,128}$/.test(id)) return id
  throw new Error(`${JSON.stringify(id)} is no blob's id`)
}

function conflict(id: string, message: string): KerutaError {
  return new KerutaError('CONFLICT', `the blob ${id} ${message}`)
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw fileError(error)
  }
}
