import type { Task } from '#protocol/task.ts'

/** What a task's last failure before `before` (an ISO time) said, and when its lines were printed. Pure. */
export function failedRun(task: Task, before: string) {
  const history = task.statusHistory
  const failedAt = history.findLastIndex(({ status, at }) => status === 'FAILED' && at <= before)
  const startedAt = history.findLastIndex(({ status }, index) => status === 'PROCESSING' && index < failedAt)
  const runs = ({ status }: { status: string }) => status === 'PROCESSING'
  const earlier = history.slice(0, Math.max(startedAt, 0)).some(runs)
  const later = history.slice(failedAt + 1).find(runs)
  const { message = null, errorCode = null, exitCode = null, signal = null } = history[failedAt] ?? {}
  return {
    message,
    errorCode,
    exitCode,
    signal,
    // Times of lines are the agent's own, which may differ from the server's: they only divide runs where there are several.
    range: {
      ...(earlier && { from: history[startedAt]!.at }),
      ...(later && { to: later.at }),
    },
  }
}
