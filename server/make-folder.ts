import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it. Node's own `recursive` never returns where a folder that is there takes none, as /proc.
 * @throws the system's error
 */
export function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(above)) {
      makeFolder(above, mode)
      makeFolder(path, mode)
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}
