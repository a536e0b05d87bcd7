import type { LogEntry } from '#protocol/log.ts'
import { firstOf, indexOfSeq, isGap, type Row } from './log-window.ts'

/** Whether a row begins a group (lines of one step) or a stack trace, by what stands before and after it. */
export function beginsBlock(before: Row | undefined, row: Row, after: Row | undefined): boolean {
  if (isGap(row) || !after || isGap(after)) return false
  return beginsGroup(before, row, after) || beginsTrace(before, row, after)
}

/** Index of the last row of the block that begins at `index`. */
export function endOfBlock(rows: readonly Row[], index: number): number {
  const head = rows[index]
  const next = rows[index + 1]
  if (!head || isGap(head) || !next || isGap(next)) return index
  const belongs = beginsGroup(rows[index - 1], head, next) ? inGroup : inTrace
  let end = index
  for (let row = rows[end + 1]; row && belongs(head, row); row = rows[end + 1]) end++
  return end
}

/** Rows without what is folded into its first line. @param folded seqs of the first lines */
export function foldRows(rows: readonly Row[], folded: ReadonlySet<number>): readonly Row[] {
  if (folded.size === 0) return rows
  const shown: Row[] = []
  let from = 0
  for (const seq of [...folded].sort((a, b) => a - b)) {
    const at = indexOfSeq(rows, seq)
    const head = rows[at]
    // Within another that is folded, or not loaded now.
    if (at < from || !head || firstOf(head) !== seq) continue
    for (let index = from; index <= at; index++) shown.push(rows[index] as Row)
    from = endOfBlock(rows, at) + 1
  }
  for (let index = from; index < rows.length; index++) shown.push(rows[index] as Row)
  return shown
}

/** The folded blocks without those that hide this line. */
export function withoutFoldsOver(
  rows: readonly Row[],
  folded: ReadonlySet<number>,
  seq: number,
): ReadonlySet<number> {
  const hides = (head: number) => {
    if (head >= seq) return false
    const at = indexOfSeq(rows, head)
    const end = rows[endOfBlock(rows, at)]
    return end !== undefined && firstOf(end) >= seq
  }
  const kept = [...folded].filter(head => !hides(head))
  return kept.length === folded.size ? folded : new Set(kept)
}

/** First lines of all blocks. */
export function allBlocks(rows: readonly Row[]): ReadonlySet<number> {
  const heads = rows.filter((row, at) => beginsBlock(rows[at - 1], row, rows[at + 1]))
  return new Set(heads.map(firstOf))
}

function beginsGroup(before: Row | undefined, head: LogEntry, after: LogEntry): boolean {
  if (!head.step || !inGroup(head, after)) return false
  return !before || isGap(before) || !isWithin(before.step, head.step) || head.message.startsWith(GROUP)
}

const GROUP = '::group::'

/** Lines of the same step or of a step within it, up to where one of the same name begins anew. */
function inGroup(head: LogEntry, row: Row): boolean {
  if (isGap(row) || head.step === undefined || !isWithin(row.step, head.step)) return false
  return row.step !== head.step || !row.message.startsWith(GROUP)
}

/** A step within another is named `OUTER / INNER`. */
const isWithin = (step: string | undefined, outer: string): boolean =>
  step === outer || (step?.startsWith(`${outer} / `) ?? false)

function beginsTrace(before: Row | undefined, head: LogEntry, after: LogEntry): boolean {
  if (!isLoud(head) || isFrame(head.message) || !isFrame(after.message) || !inTrace(head, after)) return false
  return !before || isGap(before) || !inTrace(before, head) || !isLoud(before)
}

const isLoud = ({ level }: LogEntry): boolean => level !== 'INFO' && level !== 'DEBUG'

/** What follows the first line of a stack trace: frames, causes, and Python's last line, which says what happened. */
function inTrace(head: LogEntry, row: Row): boolean {
  if (isGap(row) || row.source !== head.source || row.level !== head.level) return false
  return isFrame(row.message) || (head.message.startsWith('Traceback') && LAST.test(row.message))
}

const isFrame = (message: string): boolean => FRAME.test(message)
const FRAME = /^(?:\s+\S|Caused by:|During handling of|The above exception|goroutine \d|created by )/
const LAST = /^(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)?(?::|$)/
