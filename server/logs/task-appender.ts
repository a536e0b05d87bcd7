import { KerutaError } from '#protocol/errors.ts'
import type { Segment } from '#protocol/segment.ts'
import type { SegmentSummary } from '#protocol/segment-check.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { sliceSegment } from '#protocol/segment-writer.ts'
import type { NewSegment, SegmentStore, TaskHead } from '#server/store/store.ts'

/** Lines before these are missing: send again from `n + 1`. */
export class StreamError extends KerutaError {
  readonly n: number
  constructor(n: number, message: string) {
    super('OUT_OF_ORDER', message)
    this.n = n
  }
}

interface Part {
  segment: Segment
  summary: SegmentSummary
  stream?: { streamId: string; firstN: number }
}

/** Where a part was stored; `n` is its stream's highest stored line then (0 without a stream). */
interface Appended {
  firstSeq: number
  lastSeq: number
  n: number
}

interface Waiting extends Part {
  since: number
  resolve(appended: Appended): void
  reject(error: unknown): void
}

export interface AppenderDeps {
  segments: SegmentStore
  ensureTask(taskId: string): Promise<void>
  publish(taskId: string, firstSeq: number, segment: Segment): void
  onCommit(lines: number, bytes: number, seconds: number): void
  now: () => number
}

const MAX_APPEND_BYTES = 4 * 1024 * 1024

/**
 * Appends to one task, one commit at a time: what arrives during a commit goes together with the next. Stream numbers are
 * compared with the head, so that a resent line is stored once. The head is remembered; whoever else appended meanwhile has moved it, and
 * the store then refuses what does not follow.
 */
export class TaskAppender {
  readonly #taskId: string
  readonly #deps: AppenderDeps
  readonly #onIdle: () => void
  #waiting: Waiting[] = []
  #head: TaskHead | undefined
  #running: Promise<void> | undefined
  #settled: Promise<void> = Promise.resolve()

  constructor(taskId: string, deps: AppenderDeps, onIdle: () => void) {
    this.#taskId = taskId
    this.#deps = deps
    this.#onIdle = onIdle
  }

  add(part: Part): Promise<Appended> {
    const appended = new Promise<Appended>((resolve, reject) => {
      this.#waiting.push({ ...part, since: performance.now(), resolve, reject })
      this.#running ??= this.#run()
    })
    this.#settled = appended.then(
      () => undefined,
      () => undefined,
    )
    return appended
  }

  /** Resolves when all that was added by now is stored or refused, however much is added meanwhile. */
  get settled(): Promise<void> {
    return this.#settled
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const parts = this.#take()
      try {
        await this.#append(parts)
      } catch (error) {
        this.#head = undefined
        for (const part of parts) part.reject(error)
      }
    }
    this.#running = undefined
    this.#onIdle()
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    for (; count < this.#waiting.length && bytes < MAX_APPEND_BYTES; count++)
      bytes += this.#waiting[count]!.segment.bytes.length
    return this.#waiting.splice(0, count)
  }

  async #append(parts: Waiting[]): Promise<void> {
    const { segments, ensureTask } = this.#deps
    await ensureTask(this.#taskId)
    this.#head ??= await segments.head(this.#taskId)
    let rest = parts
    let looked = false
    while (rest.length > 0) {
      const head: TaskHead = this.#head
      const plan = planAppend(rest, head)
      // Lines before these may have come to another server meanwhile.
      if (plan.fresh.length === 0 && plan.early && !looked) {
        looked = true
        this.#head = await segments.head(this.#taskId)
        continue
      }
      if (plan.fresh.length === 0) return plan.settle(head)
      const result = await segments.append(
        this.#taskId,
        head.lastSeq + 1,
        plan.fresh.map(({ stored }) => stored),
      )
      const kept = result.ok ? plan.fresh.length : result.appended
      this.#keep(plan.fresh.slice(0, kept), head)
      // It may have been removed, with its lines, since it was seen: these would be nobody's.
      await ensureTask(this.#taskId)
      if (result.ok) return plan.settle(head)
      const lost = new Set(plan.fresh.slice(kept).map(({ part }) => part))
      rest = rest.filter(part => lost.has(part) || plan.unsettled(part))
      this.#head = result.head
    }
  }

  #keep(fresh: Fresh[], head: TaskHead): void {
    for (const { part, segment, stored } of fresh) {
      const firstSeq = head.lastSeq + 1
      head.lastSeq += segment.count
      if (stored.stream)
        head.streams.set(stored.stream.streamId, {
          ...head.streams.get(stored.stream.streamId),
          n: stored.stream.lastN,
        })
      this.#deps.onCommit(segment.count, segment.text.length, (performance.now() - part.since) / 1000)
      this.#deps.publish(this.#taskId, firstSeq, segment)
      part.resolve({ firstSeq, lastSeq: head.lastSeq, n: stored.stream?.lastN ?? 0 })
    }
  }
}

interface Fresh {
  part: Waiting
  segment: Segment
  stored: NewSegment
}

/** Sorts what has arrived into lines to store, lines that are stored already, and lines that came too early. */
function planAppend(parts: Waiting[], head: TaskHead) {
  const reached = new Map<string, number>()
  const fresh: Fresh[] = []
  const early: { part: Waiting; streamId: string }[] = []
  const known: { part: Waiting; streamId: string }[] = []
  for (const part of parts) {
    if (!part.stream) {
      fresh.push({ part, segment: part.segment, stored: { body: part.segment.bytes, summary: part.summary } })
      continue
    }
    const { streamId, firstN } = part.stream
    const n = reached.get(streamId) ?? head.streams.get(streamId)?.n ?? 0
    const lastN = firstN + part.segment.count - 1
    if (lastN <= n) known.push({ part, streamId })
    else if (firstN > n + 1) early.push({ part, streamId })
    else {
      const { segment, summary } = firstN === n + 1 ? part : cut(part.segment, n + 1 - firstN)
      fresh.push({
        part,
        segment,
        stored: { body: segment.bytes, summary, stream: { streamId, firstN: n + 1, lastN } },
      })
      reached.set(streamId, lastN)
    }
  }
  return {
    fresh,
    early: early.length > 0,
    unsettled: (part: Waiting) => [...early, ...known].some(other => other.part === part),
    settle(after: TaskHead) {
      const nOf = (streamId: string) => after.streams.get(streamId)?.n ?? 0
      for (const { part, streamId } of known)
        part.resolve({ firstSeq: 0, lastSeq: after.lastSeq, n: nOf(streamId) })
      for (const { part, streamId } of early) {
        const n = nOf(streamId)
        part.reject(
          new StreamError(
            n,
            `line ${n + 1} of stream ${streamId} must come before line ${part.stream!.firstN}`,
          ),
        )
      }
    },
  }
}

function cut(segment: Segment, from: number): { segment: Segment; summary: SegmentSummary } {
  return checkSegment(sliceSegment(segment, from).bytes, () => true)
}
