import type { LogEntry } from '#protocol/log.ts'
import { dateTime, duration } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Copy } from '../states.tsx'
import classes from './log-row.module.css'
import { LogText } from './log-text.tsx'

/** The whole of a line: JSON set out, long and multi-line text wrapped, and what came with it. */
export function LogDetails({ entry, pattern }: { entry: LogEntry; pattern: RegExp | undefined }) {
  const text = useMessages().log.details
  const facts = [
    [text.time, dateTime(new Date(entry.timestamp))],
    [text.source, entry.source],
    [text.level, entry.level],
    [text.line, entry.lineNumber],
    [text.step, entry.step],
    [text.duration, entry.durationMs === undefined ? undefined : duration(entry.durationMs)],
  ].filter(([, value]) => value !== undefined)
  return (
    <div className={classes.details}>
      <pre className={classes.whole}>
        <LogText text={setOut(entry.message)} pattern={pattern} />
      </pre>
      {entry.metadata && <pre className={classes.whole}>{JSON.stringify(entry.metadata, null, 2)}</pre>}
      <div className={classes.facts}>
        {facts.map(([name, value]) => (
          <span key={name}>
            <span className={classes.fact}>{name}</span> {value}
          </span>
        ))}
        <Copy value={entry.message} />
      </div>
    </div>
  )
}

function setOut(message: string): string {
  if (!/^\s*[[{]/.test(message)) return message
  try {
    return JSON.stringify(JSON.parse(message), null, 2)
  } catch {
    return message
  }
}
