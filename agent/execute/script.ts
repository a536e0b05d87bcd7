import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileTarget, type Target } from '../capture/target.ts'

/** A script's text as a file of its own in `dir`, which is to be removed when it has run. */
export function scriptTarget(script: string, name: string): { target: Target; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'keruta-script-'))
  const path = join(dir, 'script')
  // Not executable, so that its interpreter is started by name: folders for temporary files may be mounted noexec.
  writeFileSync(path, isDos(script) ? script.replaceAll('\r\n', '\n') : script, { mode: 0o600 })
  return { target: { ...fileTarget(path), name }, dir }
}

/** Written on a system whose lines end otherwise: no shell would take it. */
function isDos(script: string): boolean {
  return script.includes('\r\n') && !/[^\r]\n/.test(script)
}
