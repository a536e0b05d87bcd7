/** What the lines of a script say of its course. Times in ms since the epoch. */
export interface MarkEvents {
  stepBegan(name: string, at: number): void
  stepEnded(name: string, startedAt: number, at: number): void
  metric(name: string, value: number, at: number): void
  /** A line that is meant as a mark and is none, and why. */
  refused(line: string, why: string): void
}

const MAX_NAME = 200
/** Groups within groups: deeper ones are their outer one's. */
const MAX_DEPTH = 20
const ENDED = 'endgroup'
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are no part of a name
const COLOURS = /\u001b\[[ -?]*[@-~]/g
const METRIC = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/

interface Step {
  name: string
  startedAt: number
}

/**
 * Reads the lines `::group::NAME`, `::endgroup::` and `::metric NAME=VALUE` of a run's outputs. A group within a group is the step
 * `OUTER / INNER`.
 */
export class Marks {
  readonly #events: MarkEvents
  readonly #now: () => number
  readonly #steps: Step[] = []
  /** Open groups that are too deep to be steps. */
  #tooDeep = 0

  constructor(events: MarkEvents, now: () => number = Date.now) {
    this.#events = events
    this.#now = now
  }

  /** What lines belong to now. */
  get step(): string | undefined {
    return this.#steps.at(-1)?.name
  }

  /** Whether a line may be a mark; to be asked of every line. */
  static isOne(bytes: Uint8Array, start: number, end: number): boolean {
    return bytes[start] === 0x3a && bytes[start + 1] === 0x3a && end - start > 2
  }

  /** @returns the step that this line itself belongs to */
  read(bytes: Uint8Array, start: number, end: number): string | undefined {
    const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 4096)).toString()
    const [, word, rest = ''] = /^::(\w+)(?:::|(?= ))(.*)/s.exec(line) ?? []
    const before = this.step
    if (word === 'group') this.#begin(rest)
    else if (word === ENDED) this.#end()
    else if (word === 'metric') this.#metric(line, rest)
    return word === ENDED ? before : this.step
  }

  /** The run has ended. @returns the steps that it ended within, the innermost last */
  close(): Step[] {
    return this.#steps.splice(0)
  }

  #begin(text: string): void {
    if (this.#steps.length === MAX_DEPTH) {
      this.#tooDeep++
      return
    }
    const name = text.replace(COLOURS, '').trim() || 'group'
    const path = this.step === undefined ? name : `${this.step} / ${name}`
    const step = { name: shortened(path), startedAt: this.#now() }
    this.#steps.push(step)
    this.#events.stepBegan(step.name, step.startedAt)
  }

  #end(): void {
    if (this.#tooDeep > 0) {
      this.#tooDeep--
      return
    }
    const step = this.#steps.pop()
    if (step) this.#events.stepEnded(step.name, step.startedAt, this.#now())
  }

  #metric(line: string, text: string): void {
    const [, name, value] = METRIC.exec(text.replace(COLOURS, '').replace(/::$/, '')) ?? []
    if (name === undefined || value === undefined || name.length > MAX_NAME)
      this.#events.refused(line, 'it is to be ::metric NAME=NUMBER')
    else if (value === '' || !Number.isFinite(Number(value)))
      this.#events.refused(line, `"${value.slice(0, 40)}" is no number`)
    else this.#events.metric(name, Number(value), this.#now())
  }
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1).replace(/[\ud800-\udbff]$/, '')}…` : name
}
