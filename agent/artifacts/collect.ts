import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { bytesText } from './bytes-text.ts'
import { ArtifactPaths, isSame, shownName } from './name.ts'

/** A file that a run left behind. */
export interface FoundFile {
  /** On the server. */
  path: string
  /** Here; names need not be text. */
  file: Buffer
  size: number
}

export interface Collected {
  files: FoundFile[]
  /** What is not uploaded, or under another name, and why. */
  remarks: string[]
  /** How many files are not uploaded. */
  left: number
}

export interface CollectOptions {
  /** Larger files are left out. */
  maxBytes: number
  /** Only what was written since then, ms since the epoch. */
  changedSince?: number
}

const MAX_FILES = 10_000
const MAX_DEPTH = 64
/** The kernel's clock for files is coarser than the one that asks. */
const CLOCK_SLACK_MS = 20
const SLASH = Buffer.from('/')

/** Everything below a folder that can be uploaded. Links are followed where they lead within it; a missing folder has nothing. */
export async function collect(folder: string, options: CollectOptions): Promise<Collected> {
  const root = await realpath(folder, { encoding: 'buffer' }).catch(() => undefined)
  const collector = new Collector(root ?? Buffer.from(folder), options)
  if (root) await collector.look(root, [])
  return collector.result
}

class Collector {
  readonly #root: Buffer
  readonly #options: CollectOptions
  readonly #paths = new ArtifactPaths()
  readonly #files: FoundFile[] = []
  readonly #remarks: string[] = []
  #over = 0
  #left = 0

  constructor(root: Buffer, options: CollectOptions) {
    this.#root = root
    this.#options = options
  }

  get result(): Collected {
    const over = this.#over > 0 ? [`${this.#over} files beyond the first ${MAX_FILES} are not uploaded`] : []
    return { files: this.#files, remarks: [...this.#remarks, ...over], left: this.#left + this.#over }
  }

  async look(dir: Buffer, names: Buffer[]): Promise<void> {
    if (names.length > MAX_DEPTH) return this.#lose(names, `lies over ${MAX_DEPTH} folders deep`)
    let entries: Dirent<Buffer>[]
    try {
      entries = await readdir(dir, { encoding: 'buffer', withFileTypes: true })
    } catch (error) {
      return this.#lose(names, `cannot be read (${codeOf(error)})`)
    }
    for (const entry of entries.sort((a, b) => a.name.compare(b.name))) {
      const own = [...names, entry.name]
      const path = Buffer.concat([dir, SLASH, entry.name])
      try {
        if (entry.isDirectory()) await this.look(path, own)
        else if (entry.isSymbolicLink()) await this.#link(path, own)
        else if (entry.isFile()) await this.#file(path, own)
        else this.#leave(own, `is no file but a ${kindOf(entry)}`)
      } catch (error) {
        this.#lose(own, `cannot be read (${codeOf(error)})`)
      }
    }
  }

  async #link(path: Buffer, names: Buffer[]): Promise<void> {
    const target = await realpath(path, { encoding: 'buffer' }).catch(() => undefined)
    if (!target) return this.#leave(names, 'is a link that leads nowhere')
    if (target.equals(this.#root)) return
    const isInside = target.subarray(0, this.#root.length + 1).equals(Buffer.concat([this.#root, SLASH]))
    if (!isInside) return this.#leave(names, `is a link out of the folder, to ${shownName([target])}`)
    // A folder's files are found where they lie.
    if ((await stat(target)).isFile()) await this.#file(target, names)
  }

  async #file(file: Buffer, names: Buffer[]): Promise<void> {
    const { maxBytes, changedSince } = this.#options
    const { size, ctimeMs } = await lstat(file)
    if (changedSince !== undefined && ctimeMs < changedSince - CLOCK_SLACK_MS) return
    if (size > maxBytes)
      return this.#lose(names, `has ${bytesText(size)}, and KERUTA_MAX_FILE_SIZE is ${bytesText(maxBytes)}`)
    if (this.#files.length >= MAX_FILES) {
      this.#over++
      return
    }
    const path = this.#paths.of(names)
    if (!isSame(names, path))
      this.#remarks.push(`a file has a name that the server does not take: it is uploaded as ${shown(path)}`)
    this.#files.push({ path, file, size })
  }

  /** A file that is wanted. */
  #lose(names: Buffer[], why: string): void {
    this.#left++
    this.#leave(names, why)
  }

  #leave(names: Buffer[], why: string): void {
    this.#remarks.push(`${names.length === 0 ? 'the folder' : shownName(names)} ${why}: not uploaded`)
  }
}

function shown(path: string): string {
  return shownName([Buffer.from(path)])
}

function kindOf(entry: Dirent<Buffer>): string {
  return entry.isFIFO() ? 'pipe' : entry.isSocket() ? 'socket' : 'device'
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
