import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Artifact, artifactSchema } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import { makeFolder } from '#server/make-folder.ts'
import type { Sink } from '../sink.ts'
import type { Entity, Kind, Source } from '../source.ts'
import type { Report } from '../transfer.ts'
import {
  blobPath,
  entitiesPath,
  fileDigest,
  HEAD_FILE,
  isAbsent,
  MANIFEST_FILE,
  readHead,
  readIfThere,
  readManifest,
  secretPath,
  writeHead,
  writeManifest,
  writeWhole,
} from './layout.ts'
import { LogFiles } from './log-files.ts'

const PAGE = 500

/** What was typed to a script may be a password, and goes to one that runs now: it means nothing to a later time. */
const LEFT_OUT: Kind = 'inputs'

/**
 * A finished backup, to be restored or checked.
 * @throws KerutaError CONFLICT where the folder holds none, or one that is not whole
 */
export async function openBackup(folder: string): Promise<Source> {
  const head = await readHead(folder)
  if (!head)
    throw new KerutaError('CONFLICT', `the folder ${folder} holds no backup: ${HEAD_FILE} is missing`)
  for (const { path, bytes } of await readManifest(folder)) {
    const size = await sizeOf(join(folder, path))
    if (size === bytes) continue
    const state = size === undefined ? 'is missing' : `has ${size} bytes instead of ${bytes}`
    throw new KerutaError(
      'CONFLICT',
      `the backup in ${folder} is damaged: ${path} ${state}; use another backup`,
    )
  }
  return contentOf(folder, `backup ${head.id}`, new LogFiles(folder))
}

/** Compares every file with its sha256. */
export async function checkFiles(folder: string, report: Report): Promise<void> {
  let files = 0
  for (const { path, sha256 } of await readManifest(folder)) {
    if ((await fileDigest(join(folder, path))) !== sha256)
      report.problem(`${join(folder, path)} is damaged: its sha256 is another; use another backup`)
    report.progress('files', ++files, '')
  }
}

/** A folder that is to become a backup, or to be brought up to date. */
export function backupSink(folder: string): Sink {
  const logs = new LogFiles(folder)
  const content = contentOf(folder, folder, logs)
  return {
    content,
    async begin(from) {
      const head = await readHead(folder)
      if (head && head.from !== from)
        throw new KerutaError('CONFLICT', `${folder} holds a backup of ${head.from}: name another folder`)
      if (!head && (await isUsed(folder)))
        throw new KerutaError('CONFLICT', `the folder ${folder} holds other files: name an empty one`)
      makeBackupFolder(folder)
      if (!head) await writeHead(folder, { id: randomUUID(), from, startedAt: new Date().toISOString() })
      // From now on, and until the end, it is unfinished.
      await rm(join(folder, MANIFEST_FILE), { force: true })
    },
    keepSecret: secret => writeWhole(secretPath(folder), `${secret}\n`),
    async mirror(kind, pages) {
      const path = entitiesPath(folder, kind)
      if (kind === LEFT_OUT) return rm(path, { force: true })
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const toLines = async function* () {
        for await (const page of pages) yield page.map(entity => `${JSON.stringify(entity)}\n`).join('')
      }
      await pipeline(toLines, createWriteStream(`${path}.part`, { mode: 0o600, flush: true }))
      await rename(`${path}.part`, path)
    },
    place: (taskId, placed) => logs.place(taskId, placed),
    raiseHead: (taskId, head) => logs.raiseHead(taskId, head),
    wipe: taskId => logs.wipe(taskId),
    async putBlob({ id, size }, openAt) {
      const path = blobPath(folder, id)
      if ((await sizeOf(path)) === size) return
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const kept = Math.min((await sizeOf(`${path}.part`)) ?? 0, size)
      const from = await openAt(kept)
      await pipeline(
        from,
        createWriteStream(
          `${path}.part`,
          kept > 0 ? { flags: 'r+', start: kept, flush: true } : { mode: 0o600, flush: true },
        ),
      )
      await rename(`${path}.part`, path)
    },
    removeBlob: id => rm(blobPath(folder, id), { force: true }),
    async finish() {
      await removeOldBlobs(folder, content)
      await writeManifest(folder)
    },
    close: async () => undefined,
  }
}

function contentOf(folder: string, name: string, logs: LogFiles): Source {
  async function* entities(kind: Kind): AsyncGenerator<Entity[]> {
    const path = entitiesPath(folder, kind)
    if (kind === LEFT_OUT || (await sizeOf(path)) === undefined) return
    let page: Entity[] = []
    for await (const line of createInterface({
      input: createReadStream(path),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      page.push(JSON.parse(line) as Entity)
      if (page.length < PAGE) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  }
  return {
    name,
    logs,
    entities,
    async artifact(id) {
      for await (const page of entities('artifacts')) {
        const found = page.find(one => one.id === id)
        if (found) return artifactSchema.parse(found)
      }
      return undefined
    },
    async blob({ id, size }: Artifact, start) {
      const path = blobPath(folder, id)
      if ((await sizeOf(path)) !== size) throw new KerutaError('NOT_FOUND', `its bytes are not in ${folder}`)
      if (start >= size) return Readable.from([])
      return createReadStream(path, { start, end: size - 1 })
    },
    async secret() {
      return (await readIfThere(secretPath(folder)))?.trim()
    },
    close: async () => undefined,
  }
}

/** Bytes of artifacts that have been deleted since an earlier backup into the same folder. */
async function removeOldBlobs(folder: string, content: Source): Promise<void> {
  const wanted = new Set<string>()
  for await (const page of content.entities('artifacts')) for (const { id } of page) wanted.add(id)
  const there = await readdir(join(folder, 'artifacts')).catch(() => [])
  for (const name of there) if (!wanted.has(name)) await rm(join(folder, 'artifacts', name), { force: true })
}

function makeBackupFolder(folder: string): void {
  try {
    makeFolder(folder, 0o700)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `the folder ${folder} cannot be made (${code}): give this user access, or name another`
    throw new KerutaError('STORE_UNAVAILABLE', message, { cause })
  }
}

async function isUsed(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
