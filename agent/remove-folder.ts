import { rmSync } from 'node:fs'

/** Removes a temporary folder as far as that can be done: what a script has locked, or still writes to, changes no run's end. */
export function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // It lies among the temporary files, which the system removes.
  }
}
