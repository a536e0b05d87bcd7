import { statfs } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Store, StoreReader } from '#server/store/store.ts'
import { openBlobs } from './blobs.ts'
import { readCopyMark, writeCopyMark } from './copy-mark.ts'
import { blobsPath, entitiesPath, refuseOtherVersion, takeDataDir } from './data-dir.ts'
import { openEntities } from './entities.ts'
import { diskFull, storeError } from './errors.ts'
import { openSqliteReader } from './reader.ts'
import { keepSecret, readSecret } from './secret.ts'
import { createSegmentStore } from './segments.ts'
import { Writer } from './writer.ts'

/** With less, the next commit may fail. */
const LEAST_FREE_BYTES = 1024 * 1024

/**
 * The embedded store. One process at a time has the folder.
 * @throws KerutaError CONFLICT where another has it, or where it is of a newer version; STORE_UNAVAILABLE where it cannot be used
 */
export async function openSqliteStore(dataDir: string): Promise<Store> {
  const folder = resolve(dataDir)
  const release = takeDataDir(folder)
  try {
    return await openIn(folder, release)
  } catch (error) {
    release()
    throw storeError(error)
  }
}

async function openIn(folder: string, release: () => void): Promise<Store> {
  const { ping, close, ...collections } = openEntities(entitiesPath(folder))
  // The first query makes the files that even reading needs: later the disk may be full.
  await ping()
  const writer = await Writer.open(folder)
  const reader = await openSqliteReader(folder)
  return {
    ...collections,
    blobs: await openBlobs(blobsPath(folder)),
    segments: createSegmentStore(reader, writer),
    secret: () => readSecret(folder),
    sharedSecret: made => keepSecret(folder, made),
    copyMark: () => readCopyMark(folder),
    setCopyMark: mark => writeCopyMark(folder, mark),
    async ready() {
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < LEAST_FREE_BYTES) throw diskFull()
      await Promise.all([ping(), reader.totals([]), writer.submit({ kind: 'ping' })])
    },
    async close() {
      // Who closes last writes the log back: that must be the writer.
      await reader.close()
      await writer.close()
      await close()
      release()
    },
  }
}

/**
 * What can be read of a data folder while a server works on it, or none.
 * @throws KerutaError CONFLICT where the folder holds no data, or such of another version
 */
export async function openSqliteStoreReader(dataDir: string): Promise<StoreReader> {
  const folder = resolve(dataDir)
  refuseOtherVersion(folder)
  const { ping: _, close, ...collections } = openEntities(entitiesPath(folder))
  const segments = await openSqliteReader(folder)
  return {
    ...collections,
    blobs: await openBlobs(blobsPath(folder)),
    segments,
    secret: () => readSecret(folder),
    copyMark: () => readCopyMark(folder),
    async close() {
      await segments.close()
      await close()
    },
  }
}
