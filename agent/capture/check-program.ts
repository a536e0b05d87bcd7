import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

/** @throws Error where `spawn` would fail with ENOENT or EACCES for `name`, with that code */
export function checkProgram(name: string, path: string | undefined, cwd = process.cwd()): void {
  const folders = name.includes('/') ? [''] : (path ?? '').split(delimiter)
  const files = folders
    .map(folder => resolve(cwd, folder, name))
    .filter(each => statSync(each, { throwIfNoEntry: false })?.isFile())
  if (files.some(isExecutable)) return
  const code = files.length > 0 ? 'EACCES' : 'ENOENT'
  throw Object.assign(new Error(`spawn ${name} ${code}`), { code })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
