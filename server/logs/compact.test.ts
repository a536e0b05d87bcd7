import { isUtf8 } from 'node:buffer'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { openStore, type StoreLocation } from '#server/store/open.ts'
import type { NewSegment, SegmentHeader, Store, StoredBody } from '#server/store/store.ts'
import { startCompactor } from './compact.ts'
import { mergeSegments } from './compact-merge.ts'
import { planMerge } from './compact-plan.ts'
import { openBody } from './query/open-body.ts'

const T0 = Date.UTC(2024, 0, 1)

interface Line {
  message: string
  at: number
  tag: number
  lineNumber: number
  step: string | undefined
}

const line: fc.Arbitrary<Line> = fc.record({
  message: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(''), fc.constant('x'.repeat(60_000))),
  // Now and then so far apart that one segment cannot hold both.
  at: fc.oneof(fc.integer({ min: T0, max: T0 + 10_000 }), fc.integer({ min: 0, max: 2 * T0 })),
  tag: fc
    .tuple(fc.nat(4), fc.nat(2), fc.constantFrom(0, 32, 64))
    .map(([level, source, flag]) => level + source * 8 + flag),
  lineNumber: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 })),
  step: fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: undefined }),
})

/** The lines as raw segments, cut wherever `cuts` says so and where a segment must end. */
function segmentsOf(lines: Line[], cuts: boolean[]): NewSegment[] {
  const segments: NewSegment[] = []
  const writer = new SegmentWriter()
  const finish = () => {
    if (writer.count === 0) return
    const body = writer.finish()
    segments.push({ body, summary: checkSegment(body, isUtf8).summary })
  }
  const add = ({ message, at, tag, lineNumber, step }: Line) =>
    writer.addString(message, at, tag, lineNumber, step === undefined ? undefined : { step })
  for (const [index, one] of lines.entries()) {
    if (!add(one)) {
      finish()
      add(one)
    }
    if (cuts[index % cuts.length]) finish()
  }
  finish()
  return segments
}

type Stored = StoredBody & SegmentHeader

function stored(segments: NewSegment[], firstSeq = 1): Stored[] {
  let next = firstSeq
  return segments.map(({ body, summary }) => {
    const one = {
      ...summary,
      taskId: 't',
      firstSeq: next,
      codec: 'raw' as const,
      storedBytes: body.length,
      body,
    }
    next += summary.count
    return one
  })
}

function entriesOf(parts: Stored[]): LogEntry[] {
  return parts
    .flatMap(part => {
      const segment = openBody(part, part)
      return Array.from({ length: segment.count }, (_, index) => segment.entry(index, 't', part.firstSeq))
    })
    .map((entry, index) => ({ ...entry, seq: index }))
}

describe('merging', () => {
  it('gives the same lines back, however they were split and in whatever order they are merged', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 6 })), { maxLength: 6 }),
        (lines, cuts, merges) => {
          let parts = stored(segmentsOf(lines, cuts))
          const before = entriesOf(parts)
          for (const [at, many] of merges) {
            const from = at % parts.length
            const merged = mergeSegments(parts.slice(from, from + many)).map(
              (one): Stored => ({ ...one.summary, ...one, taskId: 't', storedBytes: one.body.length }),
            )
            parts = [...parts.slice(0, from), ...merged, ...parts.slice(from + many)]
          }
          expect(entriesOf(parts)).toEqual(before)
          for (const [index, part] of parts.slice(1).entries())
            expect(part.firstSeq).toBe(parts[index]!.firstSeq + parts[index]!.count)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('makes segments of about 256 KiB', () => {
    const lines = Array.from({ length: 20_000 }, (_, at): Line => {
      return {
        message: `line ${at} of some text that is as long as lines are`,
        at: T0 + at,
        tag: 1,
        lineNumber: at + 1,
        step: undefined,
      }
    })
    const merged = mergeSegments(stored(segmentsOf(lines, [false, false, true])))
    expect(merged.slice(0, -1).every(({ summary }) => summary.textBytes > 250_000)).toBe(true)
    expect(merged.every(({ summary, body }) => body.length < summary.textBytes * 0.5)).toBe(true)
  })
})

describe('the plan', () => {
  const header = (firstSeq: number, fields: Partial<SegmentHeader> = {}): SegmentHeader => {
    const counts = new Array<number>(15).fill(0)
    const plain = { taskId: 't', firstSeq, count: 10, minAt: 0, maxAt: 0, textBytes: 1000, counts }
    return { ...plain, codec: 'raw', storedBytes: 1100, ...fields }
  }
  const done = { codec: 'zstd' as const, textBytes: 200_000 }
  const plan = (headers: SegmentHeader[]) => {
    const { run, after } = planMerge(headers)
    return [run.map(({ firstSeq }) => firstSeq), after]
  }

  it('takes neighbours up to one that is finished', () => {
    expect(plan([header(1, done), header(11), header(21), header(31, done), header(41)])).toEqual([
      [11, 21],
      30,
    ])
  })
  it('does not join over a gap that a deletion left', () => {
    expect(plan([header(1), header(21), header(31)])).toEqual([[1], 10])
  })
  it('leaves a small compressed one without small neighbours, and takes it with them', () => {
    expect(plan([header(1, { codec: 'zstd' }), header(11, done)])).toEqual([[], 20])
    expect(plan([header(1, { codec: 'zstd' }), header(11)])).toEqual([[1, 11], 20])
  })
  it('takes one large raw segment alone, and no more at once than a short transaction', () => {
    const large = { textBytes: 1024 * 1024 }
    expect(plan([header(1, large)])).toEqual([[1], 10])
    expect(plan([header(1, large), header(11, large), header(21, large)])).toEqual([[1, 11], 20])
  })
})

describe('the compactor', () => {
  let location: Extract<StoreLocation, { kind: 'sqlite' }>
  let store: Store
  beforeEach(async () => {
    location = { kind: 'sqlite', dataDir: await mkdtemp(join(tmpdir(), 'keruta-compact-')) }
    store = await openStore(location)
  })
  afterEach(async () => {
    await store.close()
    await rm(location.dataDir, { recursive: true })
  })
  const headers = (taskId: string) => store.segments.headers(taskId, { order: 'asc', limit: 10_000 })
  const start = (intervalMs: number, warn = vi.fn()) =>
    startCompactor({ store: store.segments, location, logger: { warn }, intervalMs })

  async function fill(taskId: string, count: number): Promise<LogEntry[]> {
    const lines = Array.from({ length: count * 10 }, (_, at): Line => {
      return { message: `${taskId} line ${at}`, at: T0 + at, tag: 1, lineNumber: at + 1, step: undefined }
    })
    const segments = segmentsOf(lines, [...new Array<boolean>(9).fill(false), true])
    const head = await store.segments.head(taskId)
    await store.segments.append(taskId, head.lastSeq + 1, segments)
    return entriesOf(stored(segments))
  }

  async function read(taskId: string): Promise<LogEntry[]> {
    const all = await headers(taskId)
    const bodies = await store.segments.bodies(
      taskId,
      all.map(({ firstSeq }) => firstSeq),
    )
    return entriesOf(all.map((one, index) => ({ ...one, ...bodies[index]! }))).map(entry => ({
      ...entry,
      taskId: 't',
    }))
  }

  it('merges what a task has when it ends, and changes no line', async () => {
    const compactor = start(60_000)
    const before = await fill('ended', 40)
    compactor.taskEnded('ended')
    await vi.waitFor(async () => expect(await headers('ended')).toHaveLength(1), 10_000)
    expect((await headers('ended'))[0]).toMatchObject({ codec: 'zstd', count: 400 })
    expect((await read('ended')).map(({ message }) => message)).toEqual(before.map(({ message }) => message))
    await compactor.close()
  })

  it('finds what piles up while a task runs, and what an earlier run left over', async () => {
    await fill('left', 2)
    const compactor = start(10)
    await vi.waitFor(async () => expect(await headers('left')).toHaveLength(1), 10_000)
    await fill('few', 20)
    await fill('many', 100)
    await vi.waitFor(async () => expect(await headers('many')).toHaveLength(1), 10_000)
    await compactor.close()
  })

  it('tells of a log that is broken, and goes on with the others', async () => {
    await fill('broken', 2)
    const [first] = await headers('broken')
    await store.segments.replace(
      'broken',
      [first!],
      [{ firstSeq: 1, summary: first!, codec: 'zstd', body: new Uint8Array([1]) }],
    )
    await fill('good', 2)
    const warn = vi.fn()
    const compactor = start(60_000, warn)
    await vi.waitFor(async () => expect(await headers('good')).toHaveLength(1), 10_000)
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce(), 10_000)
    expect(warn.mock.calls[0]![0]).toMatchObject({ taskId: 'broken' })
    expect(await headers('broken')).toHaveLength(2)
    await compactor.close()
  })

  it('leaves a log to whoever else merges it', async () => {
    await fill('elsewhere', 2000)
    await fill('here', 2)
    const { segments } = store
    const asked: string[] = []
    const replace: typeof segments.replace = (taskId, old, merged) => {
      asked.push(taskId)
      return taskId === 'elsewhere' ? Promise.resolve(false) : segments.replace(taskId, old, merged)
    }
    const compactor = startCompactor({
      store: { ...segments, replace, fragmented: async () => [] },
      location,
      logger: { warn: vi.fn() },
    })
    compactor.taskEnded('elsewhere')
    compactor.taskEnded('here')
    await vi.waitFor(async () => expect(await headers('here')).toHaveLength(1), 10_000)
    expect(asked).toEqual(['elsewhere', 'here'])
    await compactor.close()
  })

  it('ends at once when it is closed in the middle', async () => {
    await fill('t', 2000)
    const compactor = start(60_000)
    compactor.taskEnded('t')
    await compactor.close()
    expect((await store.segments.totals(['t'])).get('t')?.lines).toBe(20_000)
  })
})
