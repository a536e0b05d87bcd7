import { realpath } from 'node:fs/promises'
import type { Context } from '../context.ts'
import { CommandError } from '../exit.ts'
import type { Secrets } from '../mask/secrets.ts'
import { isPassing } from './bring.ts'
import { bytesText } from './bytes-text.ts'
import { collect, type FoundFile } from './collect.ts'
import { Patience } from './patience.ts'
import { Progress } from './progress.ts'
import { send } from './send.ts'

/** A folder in which a run leaves its files. */
export interface ArtifactFolder {
  path: string
  /** Only what was written since then, ms since the epoch: others use it as well. */
  changedSince?: number
}

export interface UploadOptions {
  /** `/tasks/{id}` */
  task: string
  folders: ArtifactFolder[]
  secrets: Secrets
  /** How long the server may be away. */
  patienceMs: number
  /** Ends the waiting. */
  signal: AbortSignal
}

export interface UploadReport {
  /** What is on the server now. */
  files: number
  bytes: number
  /** What is not, or under another name, and why: a line each. */
  remarks: string[]
  /** How many files are not. */
  left: number
  /** Those of them that the server may take when it can be reached. */
  unsent: UnsentFile[]
}

/** A file, and the folder in which it must lie. */
export type UnsentFile = FoundFile & { root: string }

const AT_ONCE = 4

/** Uploads what lies in the folders, several files at once. Nothing that goes wrong throws: the report says it. */
export async function uploadFolders(context: Context, options: UploadOptions): Promise<UploadReport> {
  const report: UploadReport = { files: 0, bytes: 0, remarks: [], left: 0, unsent: [] }
  const waiting: UnsentFile[] = []
  for (const { path, changedSince } of options.folders) {
    const { maxFileBytes: maxBytes } = context.config
    const { files, remarks, left } = await collect(path, { maxBytes, changedSince })
    report.remarks.push(...remarks)
    report.left += left
    const root = files.length > 0 ? await realpath(path) : path
    // Of two files of one path the first folder's counts.
    const taken = new Set(waiting.map(file => file.path))
    waiting.push(...files.filter(file => !taken.has(file.path)).map(file => ({ ...file, root })))
  }
  if (waiting.length === 0) return report
  const { secrets, task, signal } = options
  const api = await context.api()
  const progress = new Progress(context, waiting)
  const deps = {
    api,
    task,
    secrets,
    patience: new Patience(options.patienceMs, signal),
    idleMs: context.config.timeoutMs,
    onBytes: (count: number) => progress.bytes(count),
  }
  const next = waiting.values()
  const worker = async () => {
    for (const found of next) {
      const { path, file, root } = found
      try {
        const artifact = await send(deps, { file, root }, { path })
        report.files++
        report.bytes += artifact.size
        progress.file()
      } catch (error) {
        report.left++
        if (isPassing(error)) report.unsent.push(found)
        report.remarks.push(`${path} was not uploaded: ${reasonOf(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  progress.end()
  return report
}

/** What has been uploaded, in words; nothing where there was nothing. */
export function summaryOf({ files, bytes, left }: UploadReport): string | undefined {
  const some = (count: number) => `${count} artifact${count === 1 ? '' : 's'}`
  if (left > 0) return `${some(files)} uploaded (${bytesText(bytes)}), ${left} not`
  return files > 0 ? `${some(files)} uploaded (${bytesText(bytes)})` : undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandError) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? 'it has gone meanwhile' : message
}
