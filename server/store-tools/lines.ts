import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentError } from '#protocol/segment-layout.ts'
import { sliceSegment } from '#protocol/segment-writer.ts'
import { openBody } from '#server/logs/query/open-body.ts'
import type { PlacedSegment, SegmentHeader } from '#server/store/store.ts'
import type { LogReader } from './source.ts'

const HEADERS_AT_ONCE = 64
/** A segment that is merged while it is read is read again so often. */
const LOOKS = 5

/** What is wrong with a stored segment, and where. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

export interface OpenSegment extends PlacedSegment {
  segment: Segment
}

/**
 * The lines above `after` up to `upTo`, each once, as they lie, with every segment checked; also where segments are merged or deleted
 * meanwhile.
 * @throws DamageError where a segment cannot be opened, or differs from its header
 */
export async function* readLines(
  logs: LogReader,
  taskId: string,
  after: number,
  upTo: number,
): AsyncGenerator<OpenSegment> {
  let done = after
  for (let looks = 0; done < upTo; ) {
    const range = { after: done, before: upTo + 1, order: 'asc' as const, limit: HEADERS_AT_ONCE }
    const headers = await logs.headers(taskId, range)
    if (headers.length === 0) return
    let problem: string | undefined
    for await (const found of openAll(logs, taskId, headers)) {
      if (typeof found === 'string') {
        problem = found
        break
      }
      yield between(found, done, upTo)
      done = found.firstSeq + found.summary.count - 1
      looks = 0
    }
    if (problem === undefined) continue
    if (++looks === LOOKS) throw new DamageError(problem)
  }
}

/** As many as the headers name and are there, or why the next is not. */
async function* openAll(logs: LogReader, taskId: string, headers: SegmentHeader[]) {
  for (let at = 0; at < headers.length; ) {
    let bytes = 0
    let end = at
    for (; end < headers.length && bytes < 4 * 1024 * 1024; end++) bytes += headers[end]!.storedBytes
    const wanted = headers.slice(at, end)
    const bodies = await logs.bodies(
      taskId,
      wanted.map(({ firstSeq }) => firstSeq),
    )
    const found = new Map(bodies.map(body => [body.firstSeq, body]))
    for (const header of wanted) {
      const { firstSeq } = header
      const place = `the segment of ${taskId} at seq ${firstSeq}`
      const stored = found.get(firstSeq)
      if (!stored) {
        yield `${place} has no body`
        return
      }
      try {
        const { segment, summary } = checkSegment(openBody(stored, header).bytes, isUtf8)
        const differs = difference(header, { ...summary, storedBytes: stored.body.length })
        if (differs) {
          yield `${place}: its header says ${differs}`
          return
        }
        yield { firstSeq, summary, codec: stored.codec, body: stored.body, segment }
      } catch (error) {
        if (!isDamage(error)) throw error
        yield `${place} cannot be opened: ${(error as Error).message}`
        return
      }
    }
    at = end
  }
}

function difference(header: SegmentHeader, body: Omit<SegmentHeader, 'taskId' | 'firstSeq' | 'codec'>) {
  for (const name of ['count', 'minAt', 'maxAt', 'textBytes', 'storedBytes'] as const)
    if (header[name] !== body[name]) return `${name} ${header[name]}, its body has ${body[name]}`
  if (header.counts.join() !== body.counts.join()) return 'other numbers of lines by level than its body has'
  return undefined
}

/** zstd's own errors have codes of that name. */
function isDamage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return error instanceof SegmentError || error instanceof RangeError || /^(ZSTD_|ERR_|Z_)/.test(String(code))
}

/** The part of it that is above `after` and not above `upTo`. */
function between(found: OpenSegment, after: number, upTo: number): OpenSegment {
  const { firstSeq, segment } = found
  const from = Math.max(0, after + 1 - firstSeq)
  const to = Math.min(segment.count, upTo + 1 - firstSeq)
  if (from === 0 && to === segment.count) return found
  const part = checkSegment(sliceSegment(segment, from, to).bytes, isUtf8)
  return { ...part, firstSeq: firstSeq + from, codec: 'raw', body: part.segment.bytes }
}

export interface Digest {
  lines: number
  sha256: string
}

/** Of lines as readers see them, however they are divided into segments. */
export class LineDigest {
  #lines = 0
  readonly #columns = createHash('sha256')
  readonly #text = createHash('sha256')
  readonly #extras = createHash('sha256')

  take({ firstSeq, segment }: Pick<OpenSegment, 'firstSeq' | 'segment'>): void {
    const { count } = segment
    const columns = new DataView(new ArrayBuffer(count * 25))
    for (let index = 0; index < count; index++) {
      const at = index * 25
      columns.setFloat64(at, firstSeq + index)
      columns.setFloat64(at + 8, segment.time(index))
      columns.setUint8(at + 16, segment.tag(index))
      columns.setUint32(at + 17, segment.lineNumber(index))
      columns.setUint32(at + 21, segment.end(index) - segment.start(index))
    }
    this.#lines += count
    this.#columns.update(columns)
    this.#text.update(segment.text)
    for (const [index, { metadata, step, durationMs }] of segment.extraList())
      if (metadata !== undefined || step !== undefined || durationMs !== undefined)
        this.#extras.update(JSON.stringify([firstSeq + index, metadata, step, durationMs]))
  }

  finish(): Digest {
    const all = createHash('sha256')
    for (const part of [this.#columns, this.#text, this.#extras]) all.update(part.digest())
    return { lines: this.#lines, sha256: all.digest('hex') }
  }
}

/** @throws DamageError */
export async function digestOf(
  logs: LogReader,
  taskId: string,
  upTo: number,
  onLines?: (lines: number) => void,
): Promise<Digest> {
  const digest = new LineDigest()
  for await (const found of readLines(logs, taskId, 0, upTo)) {
    digest.take(found)
    onLines?.(found.segment.count)
  }
  return digest.finish()
}

/** Which lines are stored up to `upTo`, as runs without holes. */
export async function runsOf(
  logs: LogReader,
  taskId: string,
  upTo: number,
): Promise<[from: number, to: number][]> {
  const runs: [from: number, to: number][] = []
  for (let after = 0; after < upTo; ) {
    const headers = await logs.headers(taskId, { after, before: upTo + 1, order: 'asc', limit: 1000 })
    for (const { firstSeq, count } of headers) {
      const end = Math.min(firstSeq + count - 1, upTo)
      const last = runs.at(-1)
      if (last && firstSeq <= last[1] + 1) last[1] = Math.max(last[1], end)
      else runs.push([firstSeq, end])
      after = end
    }
    if (headers.length === 0) break
  }
  return runs
}
