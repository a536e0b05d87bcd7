import { formsOf, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from './forms.ts'
import { Matcher } from './matcher.ts'
import { MaskStream } from './stream.ts'
import { secretVariables } from './variables.ts'

/** Fields by which server and agent know things: they are no text. */
const IDS = new Set([
  'id',
  'agentId',
  'sessionId',
  'taskId',
  'at',
  'startedAt',
  'timestamp',
  'level',
  'source',
  'status',
  'signal',
])

/** More would cost memory, and a script may print them without end. */
const MAX_VALUES = 2000

/** What is not to leave this machine, and what takes it out. More may be added at any time. */
export class Secrets {
  readonly #refuse: (message: string) => void
  readonly #values = new Set<string>()
  #matcher: Matcher | undefined
  #full = false

  /** @param refuse told in words why a value is not masked */
  constructor(refuse: (message: string) => void) {
    this.#refuse = refuse
  }

  /** Every value, for a process that masks with the same ones. */
  get values(): string[] {
    return [...this.#values]
  }

  /**
   * What is shown of it from now on is stars.
   * @param what names the value, not telling it
   * @returns whether it is; if not, why has been told
   */
  add(value: string, what: string): boolean {
    const trimmed = value.trim()
    if (trimmed === '' || this.#values.has(trimmed)) return true
    if (Buffer.byteLength(trimmed) > MAX_SECRET_BYTES) {
      this.#refuse(`${what} has over ${MAX_SECRET_BYTES / 1024} KiB and is not masked`)
      return false
    }
    if (formsOf(trimmed).length === 0) {
      this.#refuse(`${what} has fewer than ${MIN_SECRET_BYTES} bytes and is not masked`)
      return false
    }
    if (this.#values.size === MAX_VALUES) {
      if (!this.#full) this.#refuse(`${MAX_VALUES} values are masked: ${what} and others are not`)
      this.#full = true
      return false
    }
    this.#values.add(trimmed)
    this.#matcher = undefined
    return true
  }

  addVariables(env: Record<string, string | undefined>): void {
    for (const { name, value } of secretVariables(env)) this.add(value, `the value of ${name}`)
  }

  /** Found with at the moment; `::add-mask::` is looked for even where there are no values. */
  get matcher(): Matcher {
    this.#matcher ??= new Matcher(this.values.flatMap(formsOf))
    return this.#matcher
  }

  /** What stands behind `::add-mask::`, whose line ends are written as %0A where it has several lines. */
  command(value: string): void {
    const plain = value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
    for (const each of new Set([plain, value])) this.add(each, 'a value after ::add-mask::')
  }

  text(text: string): string {
    const bytes = Buffer.from(text)
    const { spans, command } = this.matcher.search(bytes)
    if (spans.length === 0 && command < 0) return text
    const masked: Buffer[] = []
    const stream = new MaskStream(this, piece => masked.push(Buffer.from(piece)))
    stream.push(bytes)
    stream.end()
    return Buffer.concat(masked).toString()
  }

  /** A body for the server with all its texts masked, names of fields and ids left alone. */
  report<T>(body: T): T {
    return this.#report(body) as T
  }

  #report(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map(each => this.#report(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, IDS.has(key) ? each : this.#report(each)]),
    )
  }
}
