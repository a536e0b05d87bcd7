import { once } from 'node:events'
import type { LogEntry } from '#protocol/log.ts'
import type { LogSlice } from '#protocol/log-answers.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { type Api, ApiError } from '../delivery/api.ts'
import { usageError } from '../exit.ts'
import { followLog } from './follow.ts'
import { formatEntry } from './format.ts'
import { endOf, exitCodeOf, isOver } from './task-watch.ts'

export interface ReadOptions {
  taskId: string
  /** Below `/api/v1`. */
  path: string
  /** As query parameters. */
  filter: Record<string, string | undefined>
  follow: boolean
  tail: number | undefined
  /** `raw`: the messages as they were printed. */
  format: 'text' | 'json' | 'ndjson' | 'csv' | 'raw'
  timestamps: boolean
  colour: boolean
  /** Ends as the task ended. */
  exitCode: boolean
}

const PAGE = 1000

/** Prints a task's log: what is stored, and with `follow` what comes until the task is over. @returns the exit code */
export async function readLogs(context: Context, options: ReadOptions): Promise<number> {
  return Promise.race([outputGone(), read(context, options)])
}

/** Resolves when whoever read the output has gone, as `head` does once it has enough. */
function outputGone(): Promise<number> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' ? resolve(0) : reject(error),
    )
  })
}

async function read(context: Context, options: ReadOptions): Promise<number> {
  const api = await context.api()
  if (!options.follow && options.tail === undefined && options.format !== 'text') {
    await exportLog(api, options)
    return conclude(context, options, await taskOf(api, options))
  }
  if (options.format === 'csv' || (options.format === 'json' && options.follow)) {
    throw usageError(
      `--format ${options.format} goes with neither --follow${options.format === 'csv' ? ' nor --tail' : ''}; take ndjson`,
    )
  }
  const printer = new Printer(options)
  const cursor = await printStored(context, api, options, printer).catch(error => {
    if (!options.follow || !(error instanceof ApiError) || error.status !== 404) throw error
    context.say(`waiting for task ${options.taskId}, which is not known yet`)
    return 0
  })
  let task: TaskView | undefined
  if (options.follow) {
    const followed = await followLog(context, api, options, cursor, entries => printer.print(entries))
    task = followed.task
    if (task) {
      await printAll(context, api, options, printer, followed.after)
      context.say(endOf(task))
    }
  } else task = await taskOf(api, options)
  await printer.end()
  return conclude(context, options, task)
}

/** Says what is missing of a log that will not become whole. */
function conclude(context: Context, { exitCode }: ReadOptions, task: TaskView | undefined): number {
  if (task?.logState.state === 'incomplete') context.warn(`this log is incomplete: ${task.logState.detail}`)
  return exitCode && task && isOver(task) ? exitCodeOf(task) : 0
}

/** Lines may be there of a task that is not. */
function taskOf(api: Api, { path }: ReadOptions): Promise<TaskView | undefined> {
  return api.get<TaskView>(path).catch(error => {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  })
}

class Printer {
  readonly #options: ReadOptions
  #all: LogEntry[] | undefined

  constructor(options: ReadOptions) {
    this.#options = options
    if (options.format === 'json') this.#all = []
  }

  async print(entries: LogEntry[]): Promise<void> {
    if (entries.length === 0) return
    if (this.#all) return void this.#all.push(...entries)
    const text = entries.map((entry, index) => this.#line(entry, entries[index + 1]))
    await write(text.join(''))
  }

  #line(entry: LogEntry, next: LogEntry | undefined): string {
    const { format } = this.#options
    if (format === 'raw') return entry.message + between(entry, next)
    return `${format === 'ndjson' ? JSON.stringify(entry) : formatEntry(entry, this.#options)}\n`
  }

  async end(): Promise<void> {
    if (this.#all) await write(`${JSON.stringify(this.#all, null, 2)}\n`)
  }
}

/** What a script printed between two entries: nothing where the second goes on with the first. */
function between(entry: LogEntry, next: LogEntry | undefined): string {
  if (next?.source !== entry.source || next.lineNumber !== entry.lineNumber) return '\n'
  if (next.metadata?.overwrites) return '\r'
  return next.metadata?.continued ? '' : '\n'
}

async function write(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

function printStored(context: Context, api: Api, options: ReadOptions, printer: Printer): Promise<number> {
  return options.tail === undefined
    ? printAll(context, api, options, printer, 0)
    : printTail(api, options, options.tail, printer)
}

async function printAll(
  context: Context,
  api: Api,
  options: ReadOptions,
  printer: Printer,
  after: number,
): Promise<number> {
  let cursor = after
  for (;;) {
    const slice = await slices(api, options, { after: cursor, limit: PAGE, order: 'asc' })
    const first = slice.firstSeq === 0 ? slice.lastSeq + 1 : slice.firstSeq
    if (first > cursor + 1 && options.filter.from === undefined)
      context.say(`lines ${cursor + 1} to ${first - 1} of this log were deleted`)
    await printer.print(slice.content)
    cursor = slice.cursor
    if (slice.done) return Math.max(cursor, slice.lastSeq)
  }
}

async function printTail(api: Api, options: ReadOptions, tail: number, printer: Printer): Promise<number> {
  const newestFirst: LogEntry[] = []
  let before = Number.MAX_SAFE_INTEGER
  let lastSeq: number | undefined
  for (;;) {
    const slice = await slices(api, options, {
      before,
      limit: Math.min(PAGE, Math.max(1, tail - newestFirst.length)),
      order: 'desc',
    })
    lastSeq ??= slice.lastSeq
    newestFirst.push(...slice.content)
    before = slice.cursor
    if (slice.done || newestFirst.length >= tail) break
  }
  await printer.print(newestFirst.slice(0, tail).reverse())
  return lastSeq
}

function slices(
  api: Api,
  { path, filter }: ReadOptions,
  range: Record<string, string | number>,
): Promise<LogSlice> {
  return api.get<LogSlice>(`${path}/logs?${queryOf({ ...filter, ...range })}`)
}

async function exportLog(api: Api, { path, filter, format }: ReadOptions): Promise<void> {
  const query = queryOf({ ...filter, format: format === 'raw' ? 'txt' : format })
  const response = await api.get<Response>(`${path}/logs/export?${query}`, { raw: true })
  for await (const chunk of response.body!) await write(chunk as Uint8Array)
}

function queryOf(fields: Record<string, string | number | undefined>): URLSearchParams {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
}
