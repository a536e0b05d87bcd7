import type { Level } from '#protocol/log.ts'
import type { Ingest } from './ingest.ts'

/**
 * Notes something of the server's own in a task's log. It is a stream of one line: whoever says it again, on whatever server, has it
 * stored once.
 * @param key names it within the task
 */
export async function sayOnce(
  ingest: Pick<Ingest, 'appendNumbered' | 'endStream'>,
  taskId: string,
  key: string,
  message: string,
  level: Level = 'WARN',
): Promise<void> {
  await ingest.appendNumbered(taskId, key, 1, [{ source: 'agent', level, message }])
  await ingest.endStream(taskId, key, 1)
}
