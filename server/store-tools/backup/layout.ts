import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { KerutaError } from '#protocol/errors.ts'
import type { Kind } from '../source.ts'

/**
 * A backup is a folder of plain files, as docs/stores.md has them. `keruta-backup.json` is written first; `manifest.ndjson`, with
 * size and sha256 of every other file, comes last: without it a backup is unfinished.
 */
export const HEAD_FILE = 'keruta-backup.json'
export const MANIFEST_FILE = 'manifest.ndjson'
const VERSION = 1

export const headSchema = z.object({
  format: z.literal('keruta-backup'),
  version: z.number().int(),
  id: z.string(),
  from: z.string(),
  startedAt: z.string(),
})
export type Head = z.infer<typeof headSchema>

export const entitiesPath = (folder: string, kind: Kind) => join(folder, 'entities', `${kind}.ndjson`)
export const secretPath = (folder: string) => join(folder, 'secret')
export const blobPath = (folder: string, id: string) => join(folder, 'artifacts', id)

/** Under a hash, because file systems differ in which names they tell apart. */
export function logPath(folder: string, taskId: string): string {
  const name = createHash('sha256').update(taskId).digest('hex').slice(0, 40)
  return join(folder, 'logs', name.slice(0, 2), `${name}.log`)
}

/** @returns nothing where the folder is none of a backup */
export async function readHead(folder: string): Promise<Head | undefined> {
  const text = await readIfThere(join(folder, HEAD_FILE))
  if (text === undefined) return undefined
  const head = headSchema.safeParse(parsed(text)).data
  if (!head)
    throw new KerutaError(
      'CONFLICT',
      `${join(folder, HEAD_FILE)} is damaged: this is no backup that can be used`,
    )
  if (head.version > VERSION)
    throw new KerutaError(
      'CONFLICT',
      `the backup in ${folder} is of version ${head.version}, made by a newer keruta; this one reads version ${VERSION}`,
    )
  return head
}

export async function writeHead(folder: string, head: Omit<Head, 'format' | 'version'>): Promise<void> {
  await writeWhole(
    join(folder, HEAD_FILE),
    `${JSON.stringify({ format: 'keruta-backup', version: VERSION, ...head }, null, 2)}\n`,
  )
}

const lineSchema = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })
const lastLineSchema = z.object({ files: z.number(), sha256: z.string() })
export type ManifestLine = z.infer<typeof lineSchema>

/** Every file of the backup with its size and sha256; the last line is the sha256 of all lines before it. */
export async function writeManifest(folder: string): Promise<void> {
  const lines: string[] = []
  for (const path of await filesIn(folder)) {
    if (path === MANIFEST_FILE || path.endsWith('.part')) continue
    const { size } = await stat(join(folder, path))
    lines.push(JSON.stringify({ path, bytes: size, sha256: await fileDigest(join(folder, path)) }))
  }
  const text = lines.map(line => `${line}\n`).join('')
  const last = { files: lines.length, sha256: createHash('sha256').update(text).digest('hex') }
  await writeWhole(join(folder, MANIFEST_FILE), `${text}${JSON.stringify(last)}\n`)
}

/** @throws KerutaError CONFLICT where the backup is unfinished, or its list is damaged */
export async function readManifest(folder: string): Promise<ManifestLine[]> {
  const text = await readIfThere(join(folder, MANIFEST_FILE))
  if (text === undefined)
    throw new KerutaError(
      'CONFLICT',
      `the backup in ${folder} is not finished: run \`store backup\` into it again`,
    )
  const at = text.lastIndexOf('\n', text.length - 2) + 1
  const last = lastLineSchema.safeParse(parsed(text.slice(at))).data
  const before = text.slice(0, at)
  if (!last || createHash('sha256').update(before).digest('hex') !== last.sha256)
    throw new KerutaError('CONFLICT', `${join(folder, MANIFEST_FILE)} is damaged or cut: use another backup`)
  return before
    .split('\n')
    .filter(line => line !== '')
    .map(line => lineSchema.parse(JSON.parse(line)))
}

/** Relative paths with `/`, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash)
  return hash.digest('hex')
}

/** Whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(`${path}.part`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** @returns also where what should be the folder is a file */
export function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
