import { LEVELS } from '#protocol/levels.ts'
import { SourceCapture } from '../capture/capture.ts'
import type { Child } from '../capture/child.ts'
import type { Marks } from '../capture/marks.ts'
import { Passthrough } from '../capture/passthrough.ts'
import type { OutputSource } from '../capture/stdio.ts'
import { Gather } from '../delivery/gather.ts'
import type { Outbox } from '../delivery/outbox.ts'
import type { MaskSource } from '../mask/stream.ts'

export interface OutputOptions {
  /** Where lines go; nowhere without it. */
  lines: Pick<Outbox, 'block' | 'line' | 'cut'> | undefined
  /** Lines below it are not sent. */
  logLevel: string | undefined
  secrets: MaskSource
  marks: Marks
  /** Whether the bytes also go, unmasked, to this process's own stdout and stderr. */
  passThrough: boolean
}

/** What a run's children print: passed through as it is, and made lines of. */
export class Output {
  readonly #lines: OutputOptions['lines']
  readonly #captures: SourceCapture[]
  readonly #passes: Passthrough[]
  readonly #gather = new Gather(() => this.#pass())
  /** What is to be passed through: one source's bytes. */
  #passing: Buffer = Buffer.alloc(0)
  #passingBytes = 0
  #passingSource: OutputSource = 0
  #child: Child | undefined
  #full = false

  constructor({ lines, logLevel, passThrough, secrets, marks }: OutputOptions) {
    const minLevel = logLevel === undefined ? 0 : LEVELS.indexOf(logLevel as (typeof LEVELS)[number])
    this.#lines = lines
    this.#captures = lines
      ? ([0, 1] as const).map(source => new SourceCapture(lines, { source, minLevel, secrets, marks }))
      : []
    this.#passes = passThrough
      ? [1, 2].map(fd => new Passthrough(fd, stop => this.#pause(`fd${fd}`, stop)))
      : []
  }

  /** Lines that were below the threshold. */
  get skipped(): number {
    return this.#captures.reduce((sum, capture) => sum + capture.skipped, 0)
  }

  /** Who prints from now on. */
  attach(child: Child): void {
    this.#child = child
    if (this.#full) this.#pause('spool', true)
  }

  /** @param chunk good until this returns */
  push(source: OutputSource, chunk: Buffer): void {
    // Both may lead to the same terminal.
    if (source !== this.#passingSource) this.#pass()
    this.#captures[source]?.push(chunk)
    if (!this.#passes[source]) return
    const bytes = this.#passingBytes + chunk.length
    if (bytes > this.#passing.length) this.#passing = grown(this.#passing, bytes)
    chunk.copy(this.#passing, this.#passingBytes)
    this.#passingBytes = bytes
    this.#passingSource = source
    this.#gather.add(chunk.length)
  }

  /** Reading is to stop (true) or go on (false): the spool is full, or has room again. */
  pressure(stop: boolean): void {
    this.#full = stop
    this.#pause('spool', stop)
  }

  /** The child has ended: an open line is a whole one. */
  end(): void {
    this.#child = undefined
    for (const capture of this.#captures) capture.end()
    this.#pass()
  }

  #pass(): void {
    if (this.#passingBytes === 0) return
    // Whoever has seen a line may rely on it: it is in the spool by then, should this process be killed right now.
    this.#lines?.cut()
    this.#passes[this.#passingSource]!.write(this.#passing.subarray(0, this.#passingBytes))
    this.#passingBytes = 0
  }

  #pause(reason: string, stop: boolean): void {
    this.#child?.pause(reason, stop)
    for (const capture of this.#captures) capture.hold(this.#child?.paused ?? false)
  }
}

function grown(buffer: Buffer, least: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(least, 2 * buffer.length))
  buffer.copy(larger)
  return larger
}
