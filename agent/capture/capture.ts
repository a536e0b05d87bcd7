import { type MaskSource, MaskStream } from '../mask/stream.ts'
import { LevelTracker } from './level.ts'
import { LineSplitter } from './lines.ts'
import type { Marks } from './marks.ts'
import { type LineLevels, type TaggedSink, Tagger } from './tagged.ts'

const SILENCE_MS = 200
/** A line that is redrawn all the time is shown this often. */
const REDRAW_MS = 1000
const DEFAULT_LEVELS = [1, 3, 1] as const

export interface CaptureOptions {
  /** Position in SOURCES. */
  source: 0 | 1 | 2
  /** Position in LEVELS; lower lines are not given on. */
  minLevel?: number
  levels?: LineLevels
  /** What the lines are not to show. */
  secrets: MaskSource
  /** What the lines say of a run's course. */
  marks?: Marks
}

/** Makes tagged lines of one source's bytes, without secrets, and gives an open line on when nothing follows. */
export class SourceCapture {
  readonly #mask: MaskStream
  readonly #splitter: LineSplitter
  readonly #tagger: Tagger
  #timer: NodeJS.Timeout | undefined
  #waitingSince = 0
  #held = false

  constructor(out: TaggedSink, { source, minLevel = 0, levels, secrets, marks }: CaptureOptions) {
    const own = levels ?? new LevelTracker(DEFAULT_LEVELS[source])
    this.#tagger = new Tagger(out, source, own, minLevel, marks)
    const splitter = new LineSplitter(this.#tagger)
    this.#splitter = splitter
    this.#mask = new MaskStream(secrets, bytes => splitter.push(bytes))
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

  /** @param chunk good until this returns */
  push(chunk: Buffer): void {
    this.#mask.push(chunk)
    this.#awaitMore()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#mask.end()
    this.#splitter.end()
  }

  #awaitMore(): void {
    if (this.#held || !(this.#splitter.waiting || this.#mask.waiting)) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      return
    }
    const now = performance.now()
    if (this.#timer === undefined) {
      this.#waitingSince = now
      this.#timer = setTimeout(() => this.#onSilence(), SILENCE_MS)
    } else if (now - this.#waitingSince > REDRAW_MS) this.#flush()
    else this.#timer.refresh()
  }

  #onSilence(): void {
    this.#mask.quiet()
    this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#splitter.flush()
  }
}
