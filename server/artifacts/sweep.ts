import type { Logger } from 'pino'
import type { Artifacts } from './artifacts.ts'

const EVERY_MS = 3_600_000

/** Removes what was never finished, now and every hour. */
export function startSweep(artifacts: Pick<Artifacts, 'sweep'>, logger: Logger): { close(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  const sweep = async () => {
    try {
      const count = await artifacts.sweep()
      if (count > 0) logger.info({ count }, 'artifacts that were never finished are removed')
    } catch (err) {
      logger.warn({ err }, 'unfinished artifacts could not be looked for')
    }
  }
  const look = () => {
    running = running.then(sweep)
  }
  look()
  const timer = setInterval(look, EVERY_MS).unref()
  return {
    async close() {
      clearInterval(timer)
      await running
    },
  }
}
