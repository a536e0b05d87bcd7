import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

/**
 * The server's own log: JSON lines with ISO times and level names, on stdout unless told otherwise.
 * @param level one of pino's: trace, debug, info, warn, error, fatal, silent
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  )
}
