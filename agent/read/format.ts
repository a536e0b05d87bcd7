import type { LogEntry } from '#protocol/log.ts'
import { tamed } from '../show/tame.ts'

const COLOURS: Record<LogEntry['level'], string> = {
  DEBUG: '\u001b[2m',
  INFO: '',
  WARN: '\u001b[33m',
  ERROR: '\u001b[31m',
  CRITICAL: '\u001b[1;31m',
}
const RESET = '\u001b[0m'
const DIM = '\u001b[2m'

export interface TextOptions {
  timestamps: boolean
  colour: boolean
}

/**
 * An entry as a line for the terminal. Of the sequences that the program printed colours alone are kept, where colours are wanted:
 * others could move the cursor, rename the window or write the clipboard of whoever reads. Control characters are made visible.
 */
export function formatEntry(entry: LogEntry, { timestamps, colour }: TextOptions): string {
  const time = timestamps ? `${colour ? DIM : ''}${entry.timestamp}${colour ? RESET : ''} ` : ''
  const level = `${colour ? COLOURS[entry.level] : ''}${entry.level.padEnd(8)}${colour && COLOURS[entry.level] ? RESET : ''}`
  const source =
    entry.source === 'stdout' ? '' : `${colour ? DIM : ''}[${entry.source}]${colour ? RESET : ''} `
  const message = tamed(entry.message, colour)
  return `${time}${level} ${source}${message}`
}
