import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Put in by the build; there are none where the sources run. */
declare const KERUTA_VERSION: string | undefined
declare const KERUTA_FILES: Record<string, string>

const isBuilt = typeof KERUTA_VERSION === 'string'

export function versionOf(): string {
  if (isBuilt) return KERUTA_VERSION!
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version
}

/** The text of a file that is no source. @param path below this folder; one that the build knows of */
export function textFile(path: string): string {
  return isBuilt ? KERUTA_FILES[path]! : readFileSync(new URL(path, import.meta.url), 'utf8')
}

/**
 * A folder for the PATH of scripts, with a `keruta` and a `keruta-agent` that are this one. The sources have one; for others it is
 * made.
 * @param home where it is made; `undefined` where it cannot be written
 */
export function binFolder(home: string): string | undefined {
  if (!isBuilt) return fileURLToPath(new URL('./bin', import.meta.url))
  const { argv, execPath } = process
  // An executable has itself in the place of the script.
  const isExecutable = argv[1] === execPath
  return makeFolder(home, isExecutable ? [execPath] : [execPath, argv[1]!])
}

function makeFolder(home: string, command: string[]): string | undefined {
  const script = `#!/bin/sh\nexec ${command.map(quoted).join(' ')} "$@"\n`
  const folder = join(home, 'bin', createHash('sha256').update(script).digest('hex').slice(0, 12))
  try {
    for (const name of ['keruta', 'keruta-agent']) writeScript(join(folder, name), script)
    return folder
  } catch {
    return undefined
  }
}

/** Whole or not at all: another agent may make the same. */
function writeScript(path: string, script: string): void {
  if (isThere(path, script)) return
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, script)
  chmodSync(draft, 0o755)
  renameSync(draft, path)
}

function isThere(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8') === text
  } catch {
    return false
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
