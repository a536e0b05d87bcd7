import type { EventEmitter } from 'node:events'
import type { SessionChange } from '#server/tasks/sessions.ts'
import type { TaskChange } from '#server/tasks/tasks.ts'

/** What happened on this server, once the store has it; whoever works says it, and whoever tells others listens. */
export type News = EventEmitter<{
  task: [change: TaskChange]
  session: [change: SessionChange]
  /** Who serves this session is another now. */
  serving: [sessionId: string]
  /** Something was typed to the task's script. */
  input: [taskId: string]
  artifacts: [taskId: string]
  /** The logs of these tasks have grown, or their states changed. */
  stats: [taskIds: string[]]
  /** Lines were deleted; `firstSeq` of what is left, 0 where nothing is. */
  cleared: [taskId: string, firstSeq: number]
}>
