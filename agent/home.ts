import { accessSync, constants, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from './make-folder.ts'

export interface Home {
  path: string
  /** Why it is not the one that was wanted. */
  trouble?: string
}

/** Where the spool lies: what was asked for or `~/.keruta`, and where that cannot be written a folder among the temporary ones. */
export function findHome(env: Record<string, string | undefined>, wanted: string | undefined): Home {
  const path = wanted ?? join(env.HOME ?? homedir(), '.keruta')
  const error = whyUnusable(path)
  if (error === undefined) return { path }
  const instead = temporaryHomes().find(folder => whyUnusable(folder) === undefined && isOwn(folder))
  // Without any, what is to be kept is kept in memory, which says so by itself.
  return instead === undefined
    ? { path }
    : { path: instead, trouble: `${path} cannot be written (${error}): ${instead} is used` }
}

/** Where an agent may have kept lines that could not write its home: only folders that are this user's. */
export function temporaryHomes(): string[] {
  const shared = join(tmpdir(), 'keruta')
  return [shared, `${shared}-${process.getuid?.() ?? 'user'}`]
}

/** Whether a folder is nobody else's: in a temporary folder anybody may have made it. */
export function isOwn(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid())
}

function whyUnusable(folder: string): string | undefined {
  try {
    makeFolder(join(folder, 'spool'), 0o700)
    accessSync(join(folder, 'spool'), constants.W_OK)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
