import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Context } from '../context.ts'
import type { SpoolMeta } from '../delivery/meta.ts'
import { Secrets } from '../mask/secrets.ts'
import { bytesText } from './bytes-text.ts'
import { artifactsText, openLaterUploads } from './later.ts'
import { copyTo } from './source.ts'
import type { UnsentFile } from './upload-folder.ts'

/** A file as it is to be uploaded, text without secrets, which nobody knows any more when it is. */
interface KeptFile {
  /** On the server. */
  path: string
  /** Its name in the folder of copies. */
  name: string
}

const FOLDER = 'artifacts'
const LIST = 'list.json'

/**
 * Copies what could not be uploaded to the spool of its run, in which it outlives the run and what knows its secrets.
 * @param room bytes that there are for it
 * @returns how many are kept, and why others are not
 */
export async function keepFiles(
  spool: string,
  files: UnsentFile[],
  secrets: Secrets,
  room: number,
): Promise<{ count: number; remarks: string[] }> {
  const folder = join(spool, FOLDER)
  const kept: KeptFile[] = []
  const remarks: string[] = []
  let left = room
  mkdirSync(folder, { mode: 0o700 })
  for (const { path, file, root, size } of files) {
    const name = String(kept.length + 1)
    if (size > left) {
      const why = `the spool has no room for its ${bytesText(size)} (KERUTA_SPOOL_MAX_MB)`
      remarks.push(`${path} is not kept for later: ${why}`)
      continue
    }
    try {
      await copyTo(join(folder, name), file, root, secrets)
      left -= statSync(join(folder, name)).size
      kept.push({ path: secrets.text(path), name })
    } catch (error) {
      remarks.push(`${path} is not kept for later: ${(error as Error).message}`)
    }
  }
  writeList(folder, kept)
  return { count: kept.length, remarks }
}

/**
 * Uploads the copies that lie in a spool.
 * @param budgetMs for all of them: what is not up by then goes on there the next time
 * @returns whether none is left
 */
export async function uploadKept(
  context: Context,
  spool: string,
  meta: SpoolMeta,
  budgetMs: number,
): Promise<boolean> {
  const folder = join(spool, FOLDER)
  // They are masked already.
  const uploads = await openLaterUploads(context, meta, new Secrets(() => {}), budgetMs)
  if (!uploads) return true
  const left = readList(folder)
  let count = 0
  for (let file = left[0]; file; file = left[0]) {
    const copy = join(folder, file.name)
    const sent = await uploads.send(Buffer.from(copy), file.path)
    if (sent === 'again') break
    if (sent === 'sent') count++
    if (sent instanceof Error) {
      const aside = setAside(context, meta.taskId, copy, file)
      await uploads.say('WARN', `${file.path} was not uploaded: ${sent.message}; it lies in ${aside}`)
    }
    left.shift()
    writeList(folder, left)
    rmSync(copy, { force: true })
  }
  if (count > 0)
    await uploads.say('INFO', `${artifactsText(count)} uploaded that could not be at the end of the run`)
  return left.length === 0
}

/** What the server will never take. @returns where it is now */
function setAside({ config }: Context, taskId: string, copy: string, { name, path }: KeptFile): string {
  const folder = join(config.home, 'artifacts', `${taskId}.refused`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const aside = join(folder, `${name}-${basename(path)}`)
  renameSync(copy, aside)
  return aside
}

/** Nothing where there is no list, or none that can be read. */
function readList(folder: string): KeptFile[] {
  try {
    return JSON.parse(readFileSync(join(folder, LIST), 'utf8')) as KeptFile[]
  } catch {
    return []
  }
}

/** A list is there whole or as it was. */
function writeList(folder: string, files: KeptFile[]): void {
  const list = join(folder, LIST)
  writeFileSync(`${list}.new`, JSON.stringify(files), { mode: 0o600 })
  renameSync(`${list}.new`, list)
}
