import {
  IconArrowsMoveVertical,
  IconChevronDown,
  IconChevronRight,
  IconSquareMinus,
  IconSquarePlus,
} from '@tabler/icons-react'
import { type MouseEvent, memo } from 'react'
import type { LogEntry } from '#protocol/log.ts'
import { clock, day, offset } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { LogDetails } from './log-details.tsx'
import classes from './log-row.module.css'
import { LogText } from './log-text.tsx'
import type { LogSettings } from './use-log-settings.ts'

/** More of a folded line is a click away: drawing it all would make a screen of such lines slow. */
const FOLDED_CHARS = 4000
const LEVEL_TAGS = { DEBUG: 'DBG', INFO: 'INF', WARN: 'WRN', ERROR: 'ERR', CRITICAL: 'CRT' }
const SOURCE_TAGS = { stdout: '', stderr: 'err', agent: 'agt' }

export interface LogRowProps {
  entry: LogEntry
  settings: LogSettings
  /** What `relative` times count from, in milliseconds. */
  startMs: number
  pattern: RegExp | undefined
  unfolded: boolean
  marked: boolean
  current: boolean
  /** The line begins a group or a stack trace, which is open, or hides so many lines. */
  block: 'open' | number | undefined
  onFoldBlock(seq: number): void
  onFold(seq: number): void
  onMark(seq: number, extend: boolean): void
  /** Where lines are filtered: shows this one among all. */
  onShowAround: ((seq: number) => void) | undefined
}

export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { entry, settings, unfolded, block, onFold, onMark, onShowAround, pattern } = props
  const text = useMessages().log
  const foldable = unfolded || holdsMore(entry) || !!entry.step
  const shown = folded(entry.message)
  const hidden = entry.message.length - FOLDED_CHARS
  const Chevron = unfolded ? IconChevronDown : IconChevronRight

  const mark = (event: MouseEvent) => {
    event.preventDefault()
    onMark(entry.seq, event.shiftKey)
  }
  const clickText = () => {
    if (isJson(entry.message) && !getSelection()?.toString()) onFold(entry.seq)
  }
  return (
    <div
      className={classes.row}
      data-seq={entry.seq}
      data-level={entry.level}
      data-marked={props.marked || undefined}
      data-current={props.current || undefined}
      data-mark={markOf(entry)}
    >
      <div className={classes.line}>
        <span className={classes.gutter}>
          {settings.numbers && (
            // Not a stop of the Tab key: so many would lie before what follows the log. A line is marked by `:` as well.
            <a
              href={`#L${entry.seq}`}
              className={classes.number}
              title={text.line(entry.seq)}
              tabIndex={-1}
              onClick={mark}
            >
              {entry.seq}
            </a>
          )}
          {settings.times !== 'off' && (
            <time className={classes.time} dateTime={entry.timestamp} title={entry.timestamp}>
              {timeOf(entry, settings.times, props.startMs)}
            </time>
          )}
          {onShowAround && (
            <button
              type="button"
              className={classes.fold}
              aria-label={text.showAround(entry.seq)}
              title={text.showAroundHint}
              onClick={() => onShowAround(entry.seq)}
            >
              <IconArrowsMoveVertical size={13} aria-hidden />
            </button>
          )}
          <span className={classes.level} title={entry.level}>
            {LEVEL_TAGS[entry.level]}
          </span>
          <span className={classes.source} title={entry.source}>
            {SOURCE_TAGS[entry.source]}
          </span>
          {foldable ? (
            <button
              type="button"
              className={classes.fold}
              data-quiet={(!unfolded && !holdsMore(entry)) || undefined}
              aria-expanded={unfolded}
              aria-label={unfolded ? text.fold : text.unfold}
              onClick={() => onFold(entry.seq)}
            >
              <Chevron size={13} aria-hidden />
            </button>
          ) : (
            <span className={classes.fold} />
          )}
          {block === undefined ? (
            <span className={classes.fold} />
          ) : (
            <button
              type="button"
              className={classes.fold}
              aria-expanded={block === 'open'}
              aria-label={block === 'open' ? text.foldBlock : text.unfoldBlock(block)}
              title={block === 'open' ? text.foldBlock : text.unfoldBlock(block)}
              onClick={() => props.onFoldBlock(entry.seq)}
            >
              {block === 'open' ? (
                <IconSquareMinus size={13} aria-hidden />
              ) : (
                <IconSquarePlus size={13} aria-hidden />
              )}
            </button>
          )}
        </span>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; the button before it does the same */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: a shortcut; the button before it does the same */}
        <span
          className={classes.message}
          data-testid="log-message"
          onClick={foldable ? clickText : undefined}
        >
          <LogText text={shown} pattern={pattern} />
          {hidden > 0 && !unfolded && (
            <button type="button" className={classes.more} onClick={() => onFold(entry.seq)}>
              {text.more(hidden)}
            </button>
          )}
          {typeof block === 'number' && (
            <button type="button" className={classes.more} onClick={() => props.onFoldBlock(entry.seq)}>
              {text.folded(block)}
            </button>
          )}
        </span>
      </div>
      {unfolded && <LogDetails entry={entry} pattern={pattern} />}
    </div>
  )
})

const folded = (message: string): string =>
  (message.length > FOLDED_CHARS ? message.slice(0, FOLDED_CHARS) : message).replaceAll('\n', '↵')

/** There is more of the line than its row shows. */
function holdsMore({ message, metadata }: LogEntry): boolean {
  return message.length > FOLDED_CHARS || message.includes('\n') || !!metadata || isJson(message)
}

/** Looks like a JSON object or list; whether it is one is found out when it is unfolded. */
function isJson(message: string): boolean {
  return (
    (message.startsWith('{') && message.endsWith('}')) || (message.startsWith('[{') && message.endsWith(']'))
  )
}

/** Lines that say something of the run's course, and what somebody typed. */
function markOf({ message, source }: LogEntry): string | undefined {
  if (source === 'agent') return INPUT.test(message) ? 'input' : undefined
  return MARK.exec(message)?.[1]
}

const MARK = /^::(group|endgroup|metric)(?:::|\s)/
const INPUT = /^(?:input|end of input) by /

function timeOf(entry: LogEntry, times: LogSettings['times'], startMs: number): string {
  const at = new Date(entry.timestamp)
  if (times === 'relative') return offset(at.getTime() - startMs)
  return times === 'date' ? `${day(at)} ${clock(at)}` : clock(at)
}
