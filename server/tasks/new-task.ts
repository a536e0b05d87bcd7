import type { Task } from '#protocol/task.ts'
import type { NewTask } from '#protocol/task-calls.ts'

/** Marks a task that exists because somebody wrote lines to it before it was started. */
export const LINES_CAME_FIRST = 'created by its first lines'

/** Whether nothing is known of the task but its lines: its first start then says when it began, and what it is called. */
export function beganWithLines(task: Task): boolean {
  return task.attempt === 1 && task.statusHistory[0]?.message === LINES_CAME_FIRST
}

export function newTask(
  id: string,
  createdAt: string,
  by: string,
  input: Partial<NewTask> & { name: string },
  message: string | null = null,
): Task {
  return {
    id,
    sessionId: input.sessionId ?? null,
    name: input.name,
    script: input.script ?? null,
    env: input.env ?? null,
    priority: input.priority ?? 0,
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
    maxAttempts: input.maxAttempts ?? 1,
    timeoutSeconds: input.timeoutSeconds ?? null,
    createdAt,
    updatedAt: createdAt,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    resources: null,
    steps: [],
    metrics: [],
    statusHistory: [{ status: 'PENDING', at: createdAt, by, message }],
  }
}
