import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileTarget, type Target } from '../capture/target.ts'

/** A script's text as a file of its own in `dir`, which is removed when it has run. */
export function scriptTarget(script: string, name: string): { target: Target; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'keruta-script-'))
  const path = join(dir, 'script')
  writeFileSync(path, script, { mode: 0o700 })
  return { target: { ...fileTarget(path), name }, dir }
}
