import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { type Artifact, artifactSchema } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { PlacedSegment, TaskHead } from '#server/store/store.ts'
import { DamageError, digestOf, readLines, runsOf } from './lines.ts'
import { forEachOf } from './pool.ts'
import type { Sink } from './sink.ts'
import { type Entity, KINDS, type Kind, SCHEMAS, type Source } from './source.ts'

export interface Report {
  /** Says what is being done, and how much of it is done. */
  progress(phase: string, done: number, unit: string): void
  /** Something that keeps the copy from being whole, or shows that it is not. */
  problem(message: string): void
}

export interface Result {
  entities: Record<Kind, number>
  logs: number
  lines: number
  blobs: number
  blobBytes: number
  /** Logs that have got lines since they were copied. */
  grown: number
}

const BATCH_BYTES = 4 * 1024 * 1024
/** A log that changes while it is compared is copied and compared again so often. */
const TRIES = 4
const LOGS_AT_ONCE = 4

/**
 * Makes `sink` the same as `source`, which may be written to meanwhile, and compares the two line by line at the end. What an earlier
 * call has done is not done again.
 * @throws KerutaError where source or sink cannot be used
 */
export async function transfer(source: Source, sink: Sink, report: Report): Promise<Result | undefined> {
  let problems = 0
  const told: Report = {
    progress: report.progress,
    problem(message) {
      problems++
      report.problem(message)
    },
  }
  await sink.begin(source.name)
  const secret = await source.secret()
  if (secret !== undefined) await sink.keepSecret(secret)
  await copyEntities(source, sink, told)
  const damaged = await copyLogs(source, sink, told)
  const blobs = await copyBlobs(source, sink, told)
  // What has changed since then.
  const entities = await copyEntities(source, sink, told)
  const logs = await compareLogs(source, sink, damaged, told)
  if (problems > 0) return undefined
  await sink.finish()
  return { entities, ...logs, ...blobs }
}

async function copyEntities(source: Source, sink: Sink, report: Report): Promise<Record<Kind, number>> {
  const counts = { sessions: 0, tasks: 0, apiKeys: 0, inputs: 0, artifacts: 0 }
  let done = 0
  for (const kind of KINDS) await sink.mirror(kind, checked(kind))
  async function* checked(kind: Kind): AsyncGenerator<Entity[]> {
    for await (const page of source.entities(kind)) {
      const good = page.flatMap(entity => {
        const parsed = SCHEMAS[kind].safeParse(entity)
        if (parsed.success) return [parsed.data as Entity]
        const issue = parsed.error.issues[0]!
        report.problem(`${kind} ${entity.id}: ${issue.path.join('.')}: ${issue.message}`)
        return []
      })
      if (good.length > 0) yield good
      counts[kind] += good.length
      done += good.length
      report.progress('entities', done, '')
    }
  }
  return counts
}

/** Every task that was ever written to. */
export async function* allLogs(source: Source): AsyncGenerator<string> {
  for (let after = ''; ; ) {
    const ids = await source.logs.taskIds(after, 500)
    yield* ids
    if (ids.length === 0) return
    after = ids.at(-1)!
  }
}

/** @returns the logs that cannot be copied to their end */
async function copyLogs(source: Source, sink: Sink, report: Report): Promise<Set<string>> {
  const damaged = new Set<string>()
  let lines = 0
  const onLines = (count: number) => {
    lines += count
    report.progress('lines', lines, 'lines')
  }
  await forEachOf(allLogs(source), LOGS_AT_ONCE, async taskId => {
    try {
      await copyLog(source, sink, taskId, onLines)
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      damaged.add(taskId)
      report.problem(`${error.message}; delete that log, or restore a backup into a new, empty store`)
    }
  })
  return damaged
}

/** What is there already stays; where the source has lost lines since, the log is copied anew. */
async function copyLog(
  source: Source,
  sink: Sink,
  taskId: string,
  onLines: (count: number) => void,
): Promise<TaskHead> {
  const head = await source.logs.head(taskId)
  const there = await runsOf(sink.content.logs, taskId, Number.MAX_SAFE_INTEGER)
  const end = there.at(-1)?.[1] ?? 0
  const same = String(await runsOf(source.logs, taskId, end)) === String(there)
  if (!same) await sink.wipe(taskId)
  let batch: PlacedSegment[] = []
  let bytes = 0
  for await (const found of readLines(source.logs, taskId, same ? end : 0, head.lastSeq)) {
    batch.push(found)
    bytes += found.body.length
    onLines(found.segment.count)
    if (bytes < BATCH_BYTES) continue
    await sink.place(taskId, batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) await sink.place(taskId, batch)
  await sink.raiseHead(taskId, head)
  return head
}

async function compareLogs(source: Source, sink: Sink, damaged: Set<string>, report: Report) {
  const sums = { logs: 0, lines: 0, grown: 0 }
  let compared = 0
  const onLines = (count: number) => {
    compared += count
    report.progress('compared', compared, 'lines')
  }
  await forEachOf(allLogs(source), LOGS_AT_ONCE, async taskId => {
    if (damaged.has(taskId)) return
    try {
      const { lines, grown } = await compareLog(source, sink, taskId, onLines)
      sums.logs++
      sums.lines += lines
      if (grown) sums.grown++
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      report.problem(error.message)
    }
  })
  return sums
}

async function compareLog(source: Source, sink: Sink, taskId: string, onLines: (count: number) => void) {
  for (let tries = 1; ; tries++) {
    const [theirs, ours] = [await source.logs.head(taskId), await sink.content.logs.head(taskId)]
    const copy = await digestOf(sink.content.logs, taskId, ours.lastSeq, onLines)
    const original = await digestOf(source.logs, taskId, ours.lastSeq)
    const differs =
      headsDiffer(theirs, ours) ?? (copy.sha256 === original.sha256 ? undefined : 'the lines differ')
    if (!differs) return { lines: copy.lines, grown: theirs.lastSeq > ours.lastSeq }
    if (tries === TRIES)
      throw new DamageError(
        `the copy of the log of ${taskId} is not the same: ${differs} (${original.lines} lines, copied ${copy.lines})`,
      )
    await copyLog(source, sink, taskId, () => undefined)
  }
}

/** The source may have gone on; the copy may know nothing that the source does not. */
function headsDiffer(theirs: TaskHead, ours: TaskHead): string | undefined {
  if (ours.lastSeq > theirs.lastSeq) return `it has seq ${ours.lastSeq}, the source ends at ${theirs.lastSeq}`
  const same = ours.lastSeq === theirs.lastSeq
  for (const [streamId, { n, endN }] of theirs.streams) {
    const known = ours.streams.get(streamId)
    if (same && (known?.n !== n || known.endN !== endN)) return `stream ${streamId} stands elsewhere`
    if ((known?.n ?? 0) > n) return `stream ${streamId} is ahead of the source`
  }
  for (const streamId of ours.streams.keys())
    if (!theirs.streams.has(streamId)) return `the source does not know stream ${streamId}`
  return undefined
}

async function copyBlobs(source: Source, sink: Sink, report: Report) {
  const sums = { blobs: 0, blobBytes: 0 }
  for await (const page of source.entities('artifacts')) {
    for (const entity of page) {
      const artifact = artifactSchema.safeParse(entity).data
      // Bytes of one that is still on its way are sent anew, from the first on.
      if (!artifact?.complete) continue
      const done = await copyBlob(source, sink, artifact, report)
      if (!done) continue
      sums.blobs++
      sums.blobBytes += artifact.size
      report.progress('artifacts', sums.blobs, '')
    }
  }
  return sums
}

async function copyBlob(source: Source, sink: Sink, artifact: Artifact, report: Report): Promise<boolean> {
  const name = `the artifact ${artifact.id} (${artifact.path} of ${artifact.taskId})`
  try {
    for (let tries = 1; ; tries++) {
      await sink.putBlob(artifact, start => source.blob(artifact, start))
      const sha256 = await blobDigest(sink.content, artifact)
      if (artifact.sha256 === null || sha256 === artifact.sha256) return true
      if (tries === 2) {
        report.problem(`${name}: its bytes are not those of its sha256`)
        return false
      }
      await sink.removeBlob(artifact.id)
    }
  } catch (error) {
    if (!(error instanceof KerutaError) || !['NOT_FOUND', 'CONFLICT'].includes(error.code)) throw error
    // Deleted meanwhile, which is nobody's fault.
    if (await source.artifact(artifact.id)) report.problem(`${name}: ${error.message}`)
    return false
  }
}

export async function blobDigest(source: Source, artifact: Artifact): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(await source.blob(artifact, 0), hash)
  return hash.digest('hex')
}
