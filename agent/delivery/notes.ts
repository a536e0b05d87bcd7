import { type SpoolMeta, writeMeta } from './meta.ts'

/** What is to be told beside the lines, on disk as soon as the disk takes it. */
export class Notes {
  readonly #dir: string
  readonly #meta: SpoolMeta
  #stale = false

  constructor(dir: string, meta: SpoolMeta) {
    this.#dir = dir
    this.#meta = meta
    this.note({})
  }

  /** Whether something is not on disk. */
  get stale(): boolean {
    return this.#stale
  }

  /** Whether files lie beside that are to be uploaded. */
  get keeps(): boolean {
    return this.#meta.keeps === true
  }

  /** `undefined` for what has been told. */
  note(change: Partial<SpoolMeta>): void {
    Object.assign(this.#meta, change)
    this.#stale = true
    this.retry()
  }

  /** Writes what could not be written yet. */
  retry(): void {
    if (!this.#stale) return
    try {
      writeMeta(this.#dir, this.#meta)
      this.#stale = false
    } catch {
      // The spool has the same trouble and tells of it.
    }
  }
}
