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
  #check: NodeJS.Immediate | undefined
  #waitingSince = 0
  /** The open line that waits. */
  #waitingLine = 0
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
    this.#stopWaiting()
    this.#mask.end()
    this.#splitter.end()
  }

  #awaitMore(): void {
    clearImmediate(this.#check)
    if (this.#held || !(this.#splitter.waiting || this.#mask.waiting)) {
      this.#stopWaiting()
      return
    }
    const now = performance.now()
    const { lineNumber } = this.#splitter
    if (this.#timer === undefined || lineNumber !== this.#waitingLine) {
      this.#waitingSince = now
      this.#waitingLine = lineNumber
    }
    if (now - this.#waitingSince > REDRAW_MS) this.#flush()
    else this.#timer = this.#timer?.refresh() ?? setTimeout(() => this.#onTime(), SILENCE_MS)
  }

  /** The time may have passed while this process was busy: what has come meanwhile is read before the immediate is called. */
  #onTime(): void {
    this.#check = setImmediate(() => {
      this.#mask.quiet()
      this.#flush()
    })
  }

  #flush(): void {
    this.#stopWaiting()
    this.#splitter.flush()
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#check)
    this.#timer = undefined
  }
}
