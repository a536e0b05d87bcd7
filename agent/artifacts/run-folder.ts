import { accessSync, constants, readdirSync, rmdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { makeFolder } from '../make-folder.ts'
import type { ArtifactFolder } from './upload-folder.ts'

/** Where a run leaves its artifacts. */
export interface RunFolder {
  /** For the script: `KERUTA_ARTIFACTS_DIR`. */
  path: string
  /** What is uploaded. */
  folders: ArtifactFolder[]
  /** Made for this run, and removed once all of it is uploaded. */
  isOwn: boolean
  /** Why it is not the folder that was wanted. */
  trouble?: string
}

/** The folder of the settings, or one of the base dir where that cannot be written. */
export function sharedFolder(config: Config, taskId: string): RunFolder {
  // Of the agent, not of where the script runs.
  const path = resolve(config.artifactsDir)
  const error = whyUnusable(path)
  return error === undefined ? { path, folders: [{ path }], isOwn: false } : instead(config, taskId, error)
}

/**
 * A folder for one run alone, below that of the settings where they name one, else in the base dir. What a script writes into the
 * folder that is the default for `execute` is uploaded all the same.
 */
export function ownFolder(config: Config, taskId: string, attempt: number): RunFolder {
  const name = `${taskId}.${attempt}`
  const isDefault = config.resolved.some(each => each.name === 'artifactsDir' && each.from === 'default')
  const path = join(isDefault ? join(config.home, 'artifacts') : resolve(config.artifactsDir), name)
  const error = whyUnusable(path)
  if (error !== undefined) return instead(config, name, error)
  const shared = isDefault ? [{ path: config.artifactsDir, changedSince: Date.now() }] : []
  return { path, folders: [{ path }, ...shared], isOwn: true }
}

/** Whether nothing lies there; a folder made for one run is gone then. */
export function isEmpty({ path, folders, isOwn }: RunFolder): boolean {
  const full = folders.filter(folder => hasEntries(folder.path))
  if (isOwn && !full.some(folder => folder.path === path)) removeEmpty(path)
  return full.length === 0
}

function hasEntries(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch {
    return false
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // The script has removed it.
  }
}

function instead(config: Config, name: string, error: string): RunFolder {
  const path = join(config.home, 'artifacts', name)
  const trouble = `the artifacts folder ${config.artifactsDir} cannot be written (${error}): ${path} is used`
  return { path, folders: [{ path }], isOwn: true, trouble: whyUnusable(path) ?? trouble }
}

function whyUnusable(folder: string): string | undefined {
  try {
    makeFolder(folder, 0o755)
    accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
