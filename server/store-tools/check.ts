import { artifactSchema } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { TaskHead } from '#server/store/store.ts'
import { DamageError, readLines } from './lines.ts'
import { forEachOf } from './pool.ts'
import { KINDS, SCHEMAS, type Source } from './source.ts'
import { allLogs, blobDigest, type Report } from './transfer.ts'

export interface CheckReport extends Report {
  /** Something that may be right, and that the operator should know. */
  note(message: string): void
}

export interface Checked {
  entities: number
  logs: number
  lines: number
  blobs: number
}

const LOGS_AT_ONCE = 4
/** A log that is written to meanwhile is looked at again so often. */
const TRIES = 5

/** Reads all there is, and compares it with what the store promises. Servers may work on it meanwhile. */
export async function checkSource(source: Source, report: CheckReport): Promise<Checked> {
  const checked: Checked = { entities: 0, logs: 0, lines: 0, blobs: 0 }
  const ids = await checkEntities(source, report, checked)
  await forEachOf(allLogs(source), LOGS_AT_ONCE, async taskId => {
    await checkLog(source, taskId, report, lines => {
      checked.lines += lines
      report.progress('lines', checked.lines, 'lines')
    })
    checked.logs++
  })
  await checkBlobs(source, ids, report, checked)
  return checked
}

async function checkEntities(source: Source, report: CheckReport, checked: Checked): Promise<Set<string>> {
  const taskIds = new Set<string>()
  const sessionIds = new Set<string>()
  for (const kind of KINDS) {
    for await (const page of source.entities(kind)) {
      for (const entity of page) {
        checked.entities++
        const parsed = SCHEMAS[kind].safeParse(entity)
        if (!parsed.success)
          for (const { path, message } of parsed.error.issues)
            report.problem(`${kind} ${entity.id}: ${path.join('.')}: ${message}; mend or delete it`)
        if (kind === 'sessions') sessionIds.add(entity.id)
        if (kind !== 'tasks') continue
        taskIds.add(entity.id)
        const { sessionId } = entity
        if (typeof sessionId === 'string' && !sessionIds.has(sessionId))
          report.note(`task ${entity.id} names the session ${sessionId}, which is not there`)
      }
      report.progress('entities', checked.entities, '')
    }
  }
  return taskIds
}

async function checkLog(
  source: Source,
  taskId: string,
  report: CheckReport,
  onLines: (lines: number) => void,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const before = await standing(source, taskId)
    let found: Sums
    try {
      found = await sumUp(source, taskId, before.head.lastSeq, tries === 1 ? onLines : () => undefined)
    } catch (error) {
      if (!(error instanceof DamageError) && !(error instanceof KerutaError)) throw error
      report.problem(
        `${error.message}; delete the log of ${taskId}, or restore a backup into a new, empty store`,
      )
      return
    }
    // Sums of different moments say nothing.
    if ((await standing(source, taskId)).text !== before.text) {
      if (tries < TRIES) continue
      report.note(`the log of ${taskId} changes all the time: its sums were not compared`)
      return
    }
    for (const problem of wrongSums(before, found))
      report.problem(`the log of ${taskId}: ${problem}; copy the store to an empty place, which counts anew`)
    for (const [from, to] of found.holes)
      report.note(`the log of ${taskId} has no lines ${from} to ${to}: they were deleted, or lost`)
    return
  }
}

interface Sums {
  firstSeq: number
  lastSeq: number
  lines: number
  textBytes: number
  storedBytes: number
  counts: number[]
  holes: [from: number, to: number][]
}

type Standing = Awaited<ReturnType<typeof standing>>

async function standing(source: Source, taskId: string) {
  const head = await source.logs.head(taskId)
  const totals = (await source.totals?.([taskId]))?.get(taskId)
  return { head, totals, text: JSON.stringify([head.lastSeq, [...head.streams], totals]) }
}

async function sumUp(
  source: Source,
  taskId: string,
  upTo: number,
  onLines: (lines: number) => void,
): Promise<Sums> {
  const sums: Sums = {
    firstSeq: 0,
    lastSeq: 0,
    lines: 0,
    textBytes: 0,
    storedBytes: 0,
    counts: new Array<number>(15).fill(0),
    holes: [],
  }
  for await (const { firstSeq, summary, body } of readLines(source.logs, taskId, 0, upTo)) {
    if (sums.lastSeq > 0 && firstSeq > sums.lastSeq + 1) sums.holes.push([sums.lastSeq + 1, firstSeq - 1])
    sums.firstSeq ||= firstSeq
    sums.lastSeq = firstSeq + summary.count - 1
    sums.lines += summary.count
    sums.textBytes += summary.textBytes
    sums.storedBytes += body.length
    summary.counts.forEach((lines, at) => {
      sums.counts[at]! += lines
    })
    onLines(summary.count)
  }
  return sums
}

function wrongSums({ head, totals }: Standing, found: Sums): string[] {
  const wrong: string[] = []
  const fields = ['firstSeq', 'lines', 'textBytes', 'storedBytes'] as const
  for (const name of totals ? fields : [])
    if (totals![name] !== found[name])
      wrong.push(`its totals say ${name} ${totals![name]}, its segments ${found[name]}`)
  if (totals && totals.counts.join() !== found.counts.join())
    wrong.push('its totals by level are not those of its segments')
  if (totals && totals.lastSeq !== head.lastSeq)
    wrong.push(`its totals end at seq ${totals.lastSeq}, its head at ${head.lastSeq}`)
  return [...wrong, ...wrongStreams(head)]
}

function wrongStreams({ lastSeq, streams }: TaskHead): string[] {
  const lines = [...streams.values()].reduce((sum, { n }) => sum + n, 0)
  if (lines <= lastSeq) return []
  return [`its streams have sent ${lines} lines, which is more than the ${lastSeq} that it ever had`]
}

async function checkBlobs(
  source: Source,
  taskIds: Set<string>,
  report: CheckReport,
  checked: Checked,
): Promise<void> {
  for await (const page of source.entities('artifacts')) {
    for (const entity of page) {
      const artifact = artifactSchema.safeParse(entity).data
      if (!artifact) continue
      const name = `the artifact ${artifact.id} (${artifact.path} of ${artifact.taskId})`
      if (!taskIds.has(artifact.taskId) && (await source.artifact(artifact.id)))
        report.note(`${name} names a task that is not there`)
      if (!artifact.complete) continue
      try {
        const sha256 = await blobDigest(source, artifact)
        if (artifact.sha256 !== null && sha256 !== artifact.sha256)
          report.problem(
            `${name}: its bytes are not those of its sha256; delete it, or restore a backup into a new, empty store`,
          )
      } catch (error) {
        if (!(error instanceof KerutaError)) throw error
        if (await source.artifact(artifact.id))
          report.problem(`${name}: ${error.message}; delete it, or restore a backup into a new, empty store`)
      }
      report.progress('artifacts', ++checked.blobs, '')
    }
  }
}
