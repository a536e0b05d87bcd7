import { appendFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LEVELS } from '#protocol/levels.ts'
import { makeFolder } from '../make-folder.ts'

export interface LogOptions {
  /** Kept beside stderr; nothing is where it cannot be written. */
  file: string
  /** `json` or `text`, on stderr; the file is always JSON. */
  format: string
  /** `stderr`, `stdout`, or `file` for the file alone. */
  output: string
  /** Entries below it are left out. */
  level: string | undefined
  /** Replaces what is secret in a line. */
  mask(text: string): string
}

/** Fields beside the message. */
export type Fields = Record<string, string | number | boolean | null | undefined>

export interface DaemonLog {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

const MAX_FILE_BYTES = 10 * 1024 * 1024
const KEPT_FILES = 5

/** The daemon's own log: a JSON object a line. */
export function openLog(options: LogOptions): DaemonLog {
  const least = LEVELS.indexOf((options.level ?? 'INFO') as (typeof LEVELS)[number])
  let fileTrouble = false
  // Whoever read them may go; the daemon stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const write =
    (level: (typeof LEVELS)[number]) =>
    (message: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(level) < least) return
      const time = new Date().toISOString()
      const line = `${options.mask(JSON.stringify({ time, level, message, ...fields }))}\n`
      const shown = options.format === 'text' ? options.mask(asText(time, level, message, fields)) : line
      if (options.output === 'stdout') process.stdout.write(shown)
      else if (options.output !== 'file' || fileTrouble) process.stderr.write(shown)
      try {
        append(options.file, line)
        fileTrouble = false
      } catch (error) {
        if (fileTrouble) return
        fileTrouble = true
        process.stderr.write(`keruta: ${options.file} cannot be written (${(error as Error).message})\n`)
      }
    }
  return { debug: write('DEBUG'), info: write('INFO'), warn: write('WARN'), error: write('ERROR') }
}

/** Opened anew for each line: daemons of several sessions may share the file, and each may turn it over. */
function append(file: string, line: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) makeFolder(dirname(file), 0o700)
  else if (size + line.length > MAX_FILE_BYTES) rotate(file)
  appendFileSync(file, line, { mode: 0o600 })
}

function rotate(file: string): void {
  for (let n = KEPT_FILES - 1; n >= 1; n--) {
    const from = n === 1 ? file : `${file}.${n - 1}`
    if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${file}.${n}`)
  }
}

function asText(time: string, level: string, message: string, fields: Fields): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${value}`)
  return `${time} ${level.padEnd(5)} ${message}${rest.join('')}\n`
}

/** Where the log lies. */
export function logFile(home: string): string {
  return join(home, 'logs', 'daemon.log')
}
