import { LEVELS, type Level } from '#protocol/levels.ts'
import { SourceCapture } from '../capture/capture.ts'
import { LevelTracker } from '../capture/level.ts'
import type { LineLevels } from '../capture/tagged.ts'
import type { Context } from '../context.ts'
import { LogStream } from '../delivery/log-stream.ts'
import { agentIdOf } from '../delivery/meta.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { EXIT } from '../exit.ts'

const DRAIN_MS = 10_000
const AGENT_SOURCE = 2

/** Streams stdin's lines into the task's log as they come. @param level of all lines; without it each line's own */
export async function streamStdin(context: Context, level: Level | undefined): Promise<number> {
  const { config } = context
  const writer = { taskId: config.taskId!, agentId: agentIdOf(), token: () => config.token }
  const stream = new LogStream(streamSettings(config), writer, {
    cancel: () => {},
    lost: () => {},
    pressure: stop => void (stop ? process.stdin.pause() : process.stdin.resume()),
    warn: context.warn,
    say: context.say,
    explain: context.explain,
  })
  stream.sender.start()
  const minLevel = config.logLevel === undefined ? 0 : LEVELS.indexOf(config.logLevel as Level)
  const levels = level === undefined ? new LevelTracker() : fixed(LEVELS.indexOf(level))
  const secrets = await context.secrets()
  const capture = new SourceCapture(stream.outbox, { source: AGENT_SOURCE, minLevel, levels, secrets })
  await new Promise<void>(resolve => {
    process.stdin
      .on('data', (chunk: Buffer) => capture.push(chunk))
      .on('end', resolve)
      .on('error', () => resolve())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  capture.end()
  const stored = await stream.end(DRAIN_MS)
  if (!stored) context.warn(`${stream.missing} lines could not be delivered in time: ${stream.fate}`)
  stream.close(stored)
  return stored ? EXIT.success : EXIT.unreachable
}

function fixed(level: number): LineLevels {
  return { levelOf: () => level }
}
