import type { AppendResult, PlacedSegment, SegmentStore } from '#server/store/store.ts'
import type { SqliteReader } from './reader.ts'
import type { Writer } from './writer.ts'
import type { MergedSegment, RemoveStep } from './writer-messages.ts'

/** Writing goes to the writer thread, reading to a connection of this thread's own. */
export function createSegmentStore(reader: SqliteReader, writer: Writer): SegmentStore {
  return {
    ...reader,
    async append(taskId, expectedNextSeq, segments) {
      const described = segments.map(({ body, summary, stream }) => ({
        summary,
        stream: stream && { streamId: stream.streamId, lastN: stream.lastN },
        size: body.length,
      }))
      const op = { kind: 'append' as const, taskId, expectedNextSeq, segments: described }
      return (await writer.submit(
        op,
        segments.map(({ body }) => body),
      )) as AppendResult
    },
    async endStream(taskId, streamId, endN) {
      await writer.submit({ kind: 'endStream', taskId, streamId, endN })
    },
    async place(taskId, placed) {
      await writer.submit(
        { kind: 'place', taskId, placed: placed.map(described) },
        placed.map(({ body }) => body),
      )
    },
    async raiseHead(taskId, head) {
      await writer.submit({ kind: 'raiseHead', taskId, head })
    },
    async replace(taskId, old, merged) {
      const replaced = old.map(({ firstSeq, count }) => ({ firstSeq, count }))
      const op = { kind: 'replace' as const, taskId, old: replaced, merged: merged.map(described) }
      return (await writer.submit(
        op,
        merged.map(({ body }) => body),
      )) as boolean
    },
    async remove(taskId, beforeSeq) {
      // Lines that arrive while this goes on are not meant.
      const { lastSeq } = await reader.head(taskId)
      const op = {
        kind: 'remove' as const,
        taskId,
        beforeSeq: Math.min(beforeSeq ?? lastSeq + 1, lastSeq + 1),
      }
      let lines = 0
      for (let step: RemoveStep | undefined; !step?.done; ) {
        step = (await writer.submit(op)) as RemoveStep
        lines += step.lines
      }
      return lines
    },
  }
}

function described({ firstSeq, summary, codec, body }: PlacedSegment): MergedSegment {
  return { firstSeq, summary, codec, size: body.length }
}
