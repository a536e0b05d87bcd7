import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, KerutaError } from '#protocol/errors.ts'
import { openSegmentReader, type StoreLocation } from '#server/store/open.ts'
import type { SegmentHeader, SegmentReader } from '#server/store/store.ts'
import { type MergedSegment, mergeSegments } from './compact-merge.ts'
import { planMerge } from './compact-plan.ts'

/** Looks for the next run of a task that is worth merging, and merges it. */
export interface CompactRequest {
  taskId: string
  after: number
}

/** Without `old` there was nothing to do here; `after` is where to look on, absent at the end of the log. */
export type CompactReply =
  | { old: Pick<SegmentHeader, 'firstSeq' | 'count'>[]; merged: MergedSegment[]; after: number | undefined }
  /** With a code where the log is not to blame. */
  | { error: string; code?: ErrorCode | undefined }

const HEADERS_AT_ONCE = 1000

// On Linux this is this thread alone: merging gives way to whatever else runs.
if (process.platform === 'linux') setPriority(10)

const port = parentPort!
let opening: Promise<SegmentReader> | undefined

port.on('message', async ({ taskId, after }: CompactRequest) => {
  try {
    const reply = await step(taskId, after)
    port.postMessage(
      reply,
      reply.merged.map(({ body }) => body.buffer as ArrayBuffer),
    )
  } catch (error) {
    const code = error instanceof KerutaError ? error.code : undefined
    const message = error instanceof Error ? error.message : String(error)
    port.postMessage({ error: message, code } satisfies CompactReply)
  }
})

/** Opened with the first request; a failure is not remembered. */
function openReader(): Promise<SegmentReader> {
  opening ??= openSegmentReader(workerData as StoreLocation).catch(error => {
    opening = undefined
    throw error
  })
  return opening
}

async function step(taskId: string, after: number) {
  const reader = await openReader()
  const headers = await reader.headers(taskId, { after, order: 'asc', limit: HEADERS_AT_ONCE })
  const plan = planMerge(headers)
  const next = headers.length < HEADERS_AT_ONCE && plan.run.length === 0 ? undefined : plan.after
  const firstSeqs = plan.run.map(({ firstSeq }) => firstSeq)
  const bodies = await reader.bodies(taskId, firstSeqs)
  // Where some went meanwhile, what took their place is found the next time.
  if (plan.run.length === 0 || bodies.length < plan.run.length) return { old: [], merged: [], after: next }
  const stored = bodies.map((body, index) => ({ ...body, ...plan.run[index]! }))
  return {
    old: plan.run.map(({ firstSeq, count }) => ({ firstSeq, count })),
    merged: mergeSegments(stored),
    after: next,
  }
}
