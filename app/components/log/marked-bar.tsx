import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { plainText } from '../../lib/ansi.ts'
import { logSource } from '../../lib/log-source.ts'
import type { LogQuery } from '../../lib/log-url.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Copy } from '../states.tsx'
import type { MarkedLines } from './line-hash.ts'
import classes from './log-panel.module.css'

/** More than this is a matter of downloads. */
const MAX_LINES = 20_000
const PAGE = 1000

interface MarkedBarProps {
  taskId: string
  /** Of marked lines, those that this lets through are copied. */
  query: LogQuery
  marked: MarkedLines
  unmark(): void
}

/** What can be done with the lines that the address points to: also with those that are not drawn, or not loaded. */
export function MarkedBar({ taskId, query, marked, unmark }: MarkedBarProps) {
  const text = useMessages().log
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring borders and a legend
    <div className={classes.marked} role="group" aria-label={text.marked(marked.from, marked.to)}>
      <span className="nums">{text.marked(marked.from, marked.to)}</span>
      {marked.to - marked.from < MAX_LINES && (
        <Copy label={text.copyText} value={() => textOf(taskId, query, marked)} />
      )}
      <Copy label={text.copyLink} value={() => Promise.resolve(location.href)} />
      <ActionIcon
        variant="subtle"
        color="gray"
        size={22}
        aria-label={text.unmark}
        title={text.unmark}
        onClick={unmark}
      >
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </div>
  )
}

async function textOf(taskId: string, query: LogQuery, { from, to }: MarkedLines): Promise<string> {
  const source = logSource(taskId, query)
  const lines: string[] = []
  for (let after = from - 1; after < to; ) {
    const slice = await source.after(after, Math.min(PAGE, to - after))
    for (const entry of slice.entries) if (entry.seq <= to) lines.push(plainText(entry.message))
    if (slice.done) break
    after = slice.to
  }
  return lines.join('\n')
}
