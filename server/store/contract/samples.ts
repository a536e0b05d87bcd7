import { isUtf8 } from 'node:buffer'
import { Segment } from '#protocol/segment.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import type { NewSegment, SegmentReader } from '../store.ts'

const T0 = Date.UTC(2024, 0, 1, 12)

export function sampleTask(id: string, fields: Partial<Task> = {}): Task {
  return {
    id,
    sessionId: null,
    name: `Task ${id}`,
    script: null,
    env: null,
    priority: 0,
    status: 'PENDING',
    progress: 0,
    progressMessage: null,
    message: null,
    errorCode: null,
    exitCode: null,
    signal: null,
    agentId: null,
    leaseUntil: null,
    interactive: false,
    waitingForInput: null,
    autoFixOf: null,
    autoFixChain: [],
    attempt: 1,
    maxAttempts: 1,
    timeoutSeconds: null,
    createdAt: '2024-01-01T12:00:00.000Z',
    updatedAt: '2024-01-01T12:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    resources: null,
    steps: [],
    metrics: [],
    statusHistory: [],
    ...fields,
  }
}

export function sampleSession(id: string, fields: Partial<Session> = {}): Session {
  const at = '2024-01-01T12:00:00.000Z'
  const template = null
  return {
    id,
    name: id,
    description: null,
    status: 'ACTIVE',
    workspaceId: null,
    template,
    tags: [],
    createdAt: at,
    updatedAt: at,
    ...fields,
  }
}

/** Lines `prefix first` … as a segment; each a millisecond after the one before. */
export function sampleSegment(lines: number, prefix = 'line', at = T0, tag = 1, first = 1): NewSegment {
  const writer = new SegmentWriter()
  for (let line = 0; line < lines; line++)
    writer.addString(`${prefix} ${first + line}`, at + line, tag, line + 1)
  const body = writer.finish()
  return { body, summary: checkSegment(body, isUtf8).summary }
}

/** The same as `lines` lines of a stream that follow `after`. */
export function streamSegment(streamId: string, after: number, lines: number): NewSegment {
  return { ...sampleSegment(lines, streamId), stream: { streamId, firstN: after + 1, lastN: after + lines } }
}

/** Every message of a log as a reader finds it; a reader skips what it has seen, because segments may be merged meanwhile. */
export async function readMessages(
  reader: SegmentReader,
  taskId: string,
): Promise<{ seqs: number[]; messages: string[] }> {
  const seqs: number[] = []
  const messages: string[] = []
  for (let after = 0; ; ) {
    const [header] = await reader.headers(taskId, { after, order: 'asc', limit: 1 })
    if (!header) return { seqs, messages }
    const [stored] = await reader.bodies(taskId, [header.firstSeq])
    if (!stored) continue
    const segment = new Segment(stored.body)
    for (let index = 0; index < segment.count; index++) {
      const seq = header.firstSeq + index
      if (seq <= after) continue
      seqs.push(seq)
      messages.push(segment.message(index))
      after = seq
    }
  }
}
