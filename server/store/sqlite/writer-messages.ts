import type { SegmentSummary } from '#protocol/segment-check.ts'
import type { Codec, SegmentHeader, TaskHead } from '#server/store/store.ts'

/** Segments to be replaced: those of the same first line and count hold the same lines. */
export type Replaced = Pick<SegmentHeader, 'firstSeq' | 'count'>

/** What the writer thread is asked to do. An op's bodies lie one after the other in its batch's buffer, from `at` on. */
export type PlacedOp = WriterOp & { at: number }

export type WriterOp =
  | { kind: 'append'; taskId: string; expectedNextSeq: number; segments: AppendedSegment[] }
  | { kind: 'endStream'; taskId: string; streamId: string; endN: number }
  | { kind: 'replace'; taskId: string; old: Replaced[]; merged: MergedSegment[] }
  | { kind: 'place'; taskId: string; placed: MergedSegment[] }
  | { kind: 'raiseHead'; taskId: string; head: TaskHead }
  /** One step: whole segments whose last seq is below `beforeSeq`, as many as take little time. */
  | { kind: 'remove'; taskId: string; beforeSeq: number }
  /** Shows that the writer answers. */
  | { kind: 'ping' }

export interface AppendedSegment {
  summary: SegmentSummary
  stream: { streamId: string; lastN: number } | undefined
  size: number
}

export interface MergedSegment {
  firstSeq: number
  summary: SegmentSummary
  codec: Codec
  size: number
}

export interface RemoveStep {
  lines: number
  done: boolean
}

/** The buffer may be larger than the `size` bytes in it. */
export type WriterRequest =
  | { kind: 'batch'; ops: PlacedOp[]; bytes: ArrayBuffer; size: number }
  | { kind: 'close' }

/** One outcome for each op of the batch; the buffer comes back to be used again. */
export type WriterReply = { kind: 'done'; outcomes: Outcome[]; bytes: ArrayBuffer } | { kind: 'ready' }

export type Outcome = { value: unknown } | { error: PlainError }

/** An error as it crosses threads. */
export interface PlainError {
  message: string
  errcode: number | undefined
}

export function plainError(error: unknown): PlainError {
  const { message, errcode } = error as { message?: string; errcode?: number }
  return { message: message ?? String(error), errcode }
}
