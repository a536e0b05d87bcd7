import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import { usageError } from '../exit.ts'
import { taskPath } from '../target-path.ts'

const FORMATS = ['text', 'json', 'ndjson', 'csv', 'raw']
const WHEN = ['auto', 'always', 'never']

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('[task-id]', 'the task; default: --task-id')
    .option('-f, --follow', 'go on with new entries as they come, until the task is over')
    .option('--exit-code', 'end with the exit code of the task, where it is over')
    .option('--source <list>', 'stdout, stderr, agent')
    .option('--level <list>', 'DEBUG, INFO, WARN, ERROR, CRITICAL')
    .option('--min-level <level>', 'this level and above')
    .option('--step <name>', 'entries of a step')
    .option('--search <text>', 'entries with this text')
    .option('--regex', 'the text is a regular expression')
    .option('--case-sensitive', 'mind upper and lower case')
    .option('--since <time>', 'a time (2024-01-01T12:00:00Z) or an age (10m, 2h)')
    .option('--tail <n>', 'only the last n entries')
    .option('--format <format>', `${FORMATS.join(', ')}; default: text, with --json json`)
    .option('-t, --timestamps', 'with the time of each entry')
    .option('--color <when>', 'auto, always or never; default: auto, and never with NO_COLOR')
    .option('--no-color', 'the same as --color never')
    .addHelpText(
      'after',
      `
Examples:
  $ keruta logs task123 --follow --timestamps
  $ keruta logs task123 --min-level WARN --tail 50
  $ keruta logs task123 --search "time.?out" --regex
  $ keruta logs task123 --since 10m --step build
  $ keruta logs task123 --follow --exit-code && echo "all is well"
  $ keruta logs task123 --format csv > task123.csv

The text shows level, source and message; raw is what the script printed, its colours included.`,
    )
  action(async (context, options, id) => {
    const path = taskPath(context.config, id)
    const format = (options.format as string | undefined) ?? (context.config.json ? 'json' : 'text')
    if (!FORMATS.includes(format))
      throw usageError(`unknown format "${format}": one of ${FORMATS.join(', ')}`)
    const { readLogs } = await import('../read/read-logs.ts')
    const { taskId } = context.config
    const { source, level, minLevel, step, search, regex, caseSensitive } = options as Record<string, string>
    return readLogs(context, {
      taskId: id ?? taskId!,
      path,
      filter: {
        source,
        level,
        minLevel,
        step,
        search,
        regex: regex && 'true',
        caseSensitive: caseSensitive && 'true',
        from: since(options.since as string | undefined),
      },
      follow: options.follow === true,
      tail: tail(options.tail as string | undefined),
      format: format as 'text',
      timestamps: options.timestamps === true,
      colour: colour(options.color, context.config.colour),
      exitCode: options.exitCode === true,
    })
  })
}

function colour(wanted: unknown, welcome: boolean | undefined): boolean {
  if (wanted === false || wanted === 'never') return false
  if (wanted === 'always') return true
  if (wanted === undefined || wanted === true || wanted === 'auto')
    return welcome ?? process.stdout.isTTY ?? false
  throw usageError(`--color "${String(wanted).slice(0, 40)}" must be one of ${WHEN.join(', ')}`)
}

const AGES: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function since(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const age = /^(\d+)([smhd])$/.exec(text)
  const at = age ? Date.now() - Number(age[1]) * AGES[age[2]!]! : Date.parse(text)
  if (Number.isNaN(at))
    throw usageError(`--since "${text}" must be a time such as 2024-01-01T12:00:00Z or an age such as 10m`)
  return new Date(at).toISOString()
}

function tail(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--tail "${text}" must be a whole number, 0 or more`)
  return Number(text)
}
