import { z } from 'zod'
import type { ErrorCode } from './errors.ts'
import { subscribeOptionsSchema } from './frames.ts'
import type { LogEntry, LogState } from './log.ts'
import type { Serving } from './session.ts'
import type { LogCounts, TaskRow, TaskView } from './task.ts'

/** Socket.IO is served at this path; clients connect with `transports: ['websocket']` or any. */
export const SOCKET_IO_PATH = '/socket.io'

/** `subscribe`: a task's log and changes (`task:{id}`), or the changes of all tasks that the caller may see. */
export const subscribeRequestSchema = z.union([
  z.object({ taskId: z.string(), options: subscribeOptionsSchema.default({ realtime: true, batch: true }) }),
  z.object({ channel: z.literal('tasks') }),
])
export type SubscribeRequest = z.input<typeof subscribeRequestSchema>

export const unsubscribeRequestSchema = z.union([
  z.object({ taskId: z.string() }),
  z.object({ channel: z.literal('tasks') }),
])
export type UnsubscribeRequest = z.infer<typeof unsubscribeRequestSchema>

export type SubscribeAnswer =
  | { ok: true; after: number; lastSeq: number }
  | { ok: false; error: { code: ErrorCode; message: string } }

export interface ClientToServerEvents {
  /** A second `subscribe` for the same task replaces the first. */
  subscribe(request: SubscribeRequest, answer?: (answer: SubscribeAnswer) => void): void
  unsubscribe(request: UnsubscribeRequest, answer?: (answer: { ok: boolean }) => void): void
}

export interface ServerToClientEvents {
  /** Always a batch, in rising seq. */
  logs(batch: { taskId: string; entries: LogEntry[] }): void
  /** Entries `from` … `to` were not sent because this reader was too slow: fetch them by REST. */
  gap(range: { taskId: string; from: number; to: number }): void
  /** A subscription ended because the log could not be read; subscribe again after the last seq. */
  failed(failure: { taskId: string; error: { code: ErrorCode; message: string } }): void
  /** A task was created or changed: whole to who subscribed to it, as lists show it to who subscribed to the changes of all tasks only. */
  task(change: { task: TaskView | TaskRow } | { taskId: string; deleted: true }): void
  /** Changes of the listed tasks may not have been told: list them again. Only to who subscribed to the changes of all tasks. */
  missed(): void
  /** Who serves a session is another now. Only to who subscribed to the changes of all tasks. */
  serving(change: { sessionId: string; serving: Serving }): void
  /** A task's log grew; at most one a second and task. */
  stats(stats: { taskId: string; logs: LogCounts; logState: LogState }): void
  /** Files of this task came, went or are on their way: list them again. Only to who subscribed to the task. */
  artifacts(change: { taskId: string }): void
  /** Lines of this task were deleted: the log begins at `firstSeq` now; 0 where nothing is left. */
  cleared(range: { taskId: string; firstSeq: number }): void
}
