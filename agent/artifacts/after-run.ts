import { rmSync } from 'node:fs'
import type { Context } from '../context.ts'
import { spoolBytes } from '../delivery/spool-bytes.ts'
import { keepFiles } from './kept.ts'
import type { RunFolder } from './run-folder.ts'
import { summaryOf, type UnsentFile, type UploadOptions, uploadFolders } from './upload-folder.ts'

export interface AfterRun extends Omit<UploadOptions, 'folders'> {
  folder: RunFolder
  /** The spool of the run's lines: what cannot be uploaded now is kept there. */
  spool: string
  /** An entry in the task's log. @param level position in LEVELS */
  say(level: number, message: string): void
}

const MOST_REMARKS = 20
const INFO = 1
const WARN = 2

/**
 * Uploads what a run has left, and says in its log what became of it. It throws nothing: the run is what it was.
 * @returns whether copies are kept that are to be uploaded later
 */
export async function uploadAfterRun(
  context: Context,
  { folder, spool, say, ...options }: AfterRun,
): Promise<boolean> {
  const warn = (message: string) => {
    say(WARN, message)
    context.warn(message)
  }
  /** @returns how many are kept */
  const keep = async (unsent: UnsentFile[]): Promise<number> => {
    if (unsent.length === 0) return 0
    const room = context.config.spoolMaxMb * 1_048_576 - spoolBytes(context.config)
    const { count, remarks } = await keepFiles(spool, unsent, options.secrets, room)
    for (const remark of remarks.slice(0, MOST_REMARKS)) warn(remark)
    const fate = 'without secrets, and uploaded by the next keruta command'
    if (count > 0) warn(`${count} of them are kept in ${spool}, ${fate}`)
    return count
  }
  let kept = 0
  try {
    const report = await uploadFolders(context, { ...options, folders: folder.folders })
    for (const remark of report.remarks.slice(0, MOST_REMARKS)) warn(remark)
    const more = report.remarks.length - MOST_REMARKS
    if (more > 0) warn(`${more} more such remarks are left out`)
    const summary = summaryOf(report)
    if (summary !== undefined) say(INFO, summary)
    if (summary !== undefined) context.say(summary)
    kept = await keep(report.unsent)
    if (report.left > kept)
      warn(`what was not uploaded is left in ${folder.path}: keruta artifact add sends it`)
    else if (folder.isOwn) rmSync(folder.path, { recursive: true, force: true })
  } catch (error) {
    warn(`the artifacts in ${folder.path} were not uploaded: ${(error as Error).message}`)
  }
  return kept > 0
}
