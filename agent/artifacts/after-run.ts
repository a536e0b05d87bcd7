import { rmSync } from 'node:fs'
import type { Context } from '../context.ts'
import type { RunFolder } from './run-folder.ts'
import { summaryOf, type UploadOptions, uploadFolders } from './upload-folder.ts'

export interface AfterRun extends Omit<UploadOptions, 'folders'> {
  folder: RunFolder
  /** An entry in the task's log. @param level position in LEVELS */
  say(level: number, message: string): void
}

const MOST_REMARKS = 20
const INFO = 1
const WARN = 2

/** Uploads what a run has left, and says in its log what became of it. It throws nothing: the run is what it was. */
export async function uploadAfterRun(context: Context, { folder, say, ...options }: AfterRun): Promise<void> {
  const warn = (message: string) => {
    say(WARN, message)
    context.warn(message)
  }
  try {
    const report = await uploadFolders(context, { ...options, folders: folder.folders })
    for (const remark of report.remarks.slice(0, MOST_REMARKS)) warn(remark)
    const more = report.remarks.length - MOST_REMARKS
    if (more > 0) warn(`${more} more such remarks are left out`)
    const summary = summaryOf(report)
    if (summary !== undefined) say(INFO, summary)
    if (summary !== undefined) context.say(summary)
    if (report.left > 0) warn(`what was not uploaded is kept in ${folder.path}: keruta artifact add sends it`)
    else if (folder.isOwn) rmSync(folder.path, { recursive: true, force: true })
  } catch (error) {
    warn(`the artifacts in ${folder.path} were not uploaded: ${(error as Error).message}`)
  }
}
