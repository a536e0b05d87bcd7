import { createHash } from 'node:crypto'

/** As the server has it. */
const MAX_PATH_CHARS = 1024
const MARK_CHARS = 9

/** Paths of files as the server takes them, each given once: names may hold anything but `/`, and need not be text. */
export class ArtifactPaths {
  readonly #given = new Set<string>()

  /** @param names of the folders within the root, and of the file */
  of(names: Buffer[]): string {
    const plain = names.map(plainName).join('/')
    const path =
      plain.length > MAX_PATH_CHARS || this.#given.has(plain)
        ? `${plain.slice(0, MAX_PATH_CHARS - MARK_CHARS).replace(/\/+$/, '')}~${markOf(names)}`
        : plain
    this.#given.add(path)
    return path
  }
}

/** For people: as much of it as can be shown. */
export function shownName(names: Buffer[]): string {
  const shown = names.map(plainName).join('/')
  return shown.length > 200 ? `${shown.slice(0, 100)}…${shown.slice(-90)}` : shown
}

/** Whether the file has this path under its own name. */
export function isSame(names: Buffer[], path: string): boolean {
  return Buffer.from(path).equals(Buffer.from(names.map(name => name.toString('latin1')).join('/'), 'latin1'))
}

function plainName(name: Buffer): string {
  return new TextDecoder().decode(name).replace(/[\p{Cc}\\]/gu, '_')
}

function markOf(names: Buffer[]): string {
  const hash = createHash('sha256')
  for (const name of names) hash.update(name).update('/')
  return hash.digest('hex').slice(0, MARK_CHARS - 1)
}
