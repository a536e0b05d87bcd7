/** What a line is called, free of schemas: the agent loads this alone on its way to a quick start. */

/** Rising severity; the position is the level's number in segments. */
export const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] as const
export type Level = (typeof LEVELS)[number]

/** The position is the source's number in segments. */
export const SOURCES = ['stdout', 'stderr', 'agent'] as const
export type Source = (typeof SOURCES)[number]

/** Longest text of one entry in UTF-8 bytes; the agent splits longer lines and marks the later parts `metadata.continued`. */
export const MAX_MESSAGE_BYTES = 64 * 1024

const LEVEL_NAMES: Record<string, Level> = {
  TRACE: 'DEBUG',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARN',
  WARNING: 'WARN',
  ERROR: 'ERROR',
  CRITICAL: 'CRITICAL',
  FATAL: 'CRITICAL',
}

/** Reads a level in any case; WARNING is WARN, FATAL is CRITICAL, TRACE is DEBUG. `undefined` for anything else. */
export function parseLevel(name: string): Level | undefined {
  return LEVEL_NAMES[name.toUpperCase()]
}

/** An entry's id, derived from where it stands. */
export function entryId(taskId: string, seq: number): string {
  return `${taskId}:${seq}`
}
