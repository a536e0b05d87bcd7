import type { LogEntry } from '#protocol/log.ts'

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

/** An entry as a line for the terminal; colours that the program itself printed are kept only where colours are wanted. */
export function formatEntry(entry: LogEntry, { timestamps, colour }: TextOptions): string {
  const time = timestamps ? `${colour ? DIM : ''}${entry.timestamp}${colour ? RESET : ''} ` : ''
  const level = `${colour ? COLOURS[entry.level] : ''}${entry.level.padEnd(8)}${colour && COLOURS[entry.level] ? RESET : ''}`
  const source =
    entry.source === 'stdout' ? '' : `${colour ? DIM : ''}[${entry.source}]${colour ? RESET : ''} `
  const message = colour
    ? `${entry.message}${entry.message.includes('\u001b[') ? RESET : ''}`
    : withoutEscapes(entry.message)
  return `${time}${level} ${source}${message}`
}

function withoutEscapes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences begin with ESC
  return text.replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
}
