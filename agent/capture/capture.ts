import { LevelTracker } from './level.ts'
import { LineSplitter } from './lines.ts'
import { type LineLevels, type TaggedSink, Tagger } from './tagged.ts'

const SILENCE_MS = 200
/** A line that is redrawn all the time is shown this often. */
const REDRAW_MS = 1000
const DEFAULT_LEVELS = [1, 3, 1] as const

/** Makes tagged lines of one source's bytes, and gives an open line on when nothing follows. */
export class SourceCapture {
  readonly #splitter: LineSplitter
  readonly #tagger: Tagger
  #timer: NodeJS.Timeout | undefined
  #waitingSince = 0
  #held = false

  /**
   * @param source position in SOURCES
   * @param minLevel position in LEVELS; lower lines are not given on
   */
  constructor(
    out: TaggedSink,
    source: 0 | 1 | 2,
    minLevel = 0,
    levels: LineLevels = new LevelTracker(DEFAULT_LEVELS[source]),
  ) {
    this.#tagger = new Tagger(out, source, levels, minLevel)
    this.#splitter = new LineSplitter(this.#tagger)
  }

  /** Lines that were below the threshold. */
  get skipped(): number {
    return this.#tagger.skipped
  }

  /** While reading is stopped, silence means nothing: the open line waits. */
  hold(stop: boolean): void {
    this.#held = stop
    this.#awaitMore()
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk)
    this.#awaitMore()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#splitter.end()
  }

  #awaitMore(): void {
    if (this.#held || !this.#splitter.waiting) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      return
    }
    const now = performance.now()
    if (this.#timer === undefined) {
      this.#waitingSince = now
      this.#timer = setTimeout(() => this.#flush(), SILENCE_MS)
    } else if (now - this.#waitingSince > REDRAW_MS) this.#flush()
    else this.#timer.refresh()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#splitter.flush()
  }
}
