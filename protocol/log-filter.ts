import { z } from 'zod'
import { instantSchema } from './ids.ts'
import { LEVELS, type Level, type LogEntry, levelSchema, type Source, sourceSchema } from './log.ts'

/** Lists in a query are comma-separated, repeated, or (in JSON) arrays. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    value =>
      value === undefined || value === null
        ? undefined
        : [value].flat().flatMap(part =>
            typeof part === 'string'
              ? part
                  .split(',')
                  .map(s => s.trim())
                  .filter(Boolean)
              : [part],
          ),
    z.array(item).optional(),
  )

const flag = z.preprocess(
  value =>
    value === 'true' || value === '1' || value === ''
      ? true
      : value === 'false' || value === '0'
        ? false
        : value,
  z.boolean({ error: 'must be true or false' }).optional(),
)

/**
 * The one filter language: REST queries, live subscriptions, exports and the console's URL. Fields are joined by AND, values of
 * a list by OR. `search` is a substring, or a JavaScript regular expression where `regex` is true; case-insensitive unless
 * `caseSensitive`, in both as the flag `i` has it: an ASCII letter equals its other case and nothing else, a letter beyond ASCII those
 * with the same upper case. `from` is inclusive, `to` exclusive.
 */
export const logFilterShape = {
  source: listOf(sourceSchema),
  level: listOf(levelSchema),
  minLevel: levelSchema.optional(),
  step: z.string().max(200).optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  search: z.string().max(1000, 'must be at most 1000 characters').optional(),
  regex: flag,
  caseSensitive: flag,
}
/** The checks that no single field can make: that `search` is a regular expression where it says so, and the period one. */
export function refineFilter(
  filter: { regex?: boolean; search?: string; from?: string; to?: string },
  ctx: z.core.$RefinementCtx<unknown>,
): void {
  if (filter.from && filter.to && Date.parse(filter.from) > Date.parse(filter.to))
    ctx.addIssue({ code: 'custom', path: ['to'], message: 'must not be before from' })
  if (!filter.regex || filter.search === undefined) return
  try {
    new RegExp(filter.search)
  } catch (error) {
    ctx.addIssue({
      code: 'custom',
      path: ['search'],
      message: `not a regular expression: ${(error as Error).message}`,
    })
  }
}

export const logFilterSchema = z.object(logFilterShape).superRefine(refineFilter)
export type LogFilter = z.infer<typeof logFilterSchema>

/** A filter with lists resolved to level and source numbers, times to milliseconds. */
export interface CompiledFilter {
  /** `tags[source * 5 + level]`: whether such entries can match. */
  readonly tags: readonly boolean[]
  readonly allTags: boolean
  readonly from: number
  readonly to: number
  readonly step: string | undefined
  readonly search: string | undefined
  readonly regex: RegExp | undefined
  readonly caseSensitive: boolean
  /** What a message must match: `regex`, or `search` as a pattern. */
  readonly pattern: RegExp | undefined
  /** Neither text nor step nor time nor tags: everything matches. */
  readonly matchesAll: boolean
}

export function compileFilter(filter: LogFilter): CompiledFilter {
  const minLevel = filter.minLevel ? LEVELS.indexOf(filter.minLevel) : 0
  const has = <T>(list: T[] | undefined, value: T) => !list?.length || list.includes(value)
  const sources: Source[] = ['stdout', 'stderr', 'agent']
  const tags = sources.flatMap(source =>
    LEVELS.map(
      (level, rank) =>
        rank >= minLevel && has(filter.level as Level[] | undefined, level) && has(filter.source, source),
    ),
  )
  const caseSensitive = filter.caseSensitive ?? false
  const search = filter.search || undefined
  const flags = caseSensitive ? '' : 'i'
  const regex = search !== undefined && filter.regex ? new RegExp(search, flags) : undefined
  const from = filter.from ? Date.parse(filter.from) : Number.NEGATIVE_INFINITY
  const to = filter.to ? Date.parse(filter.to) : Number.POSITIVE_INFINITY
  const allTags = tags.every(Boolean)
  return {
    tags,
    allTags,
    from,
    to,
    step: filter.step,
    search: regex ? undefined : search,
    regex,
    caseSensitive,
    pattern: regex ?? (search === undefined ? undefined : new RegExp(escaped(search), flags)),
    matchesAll: allTags && search === undefined && filter.step === undefined && !filter.from && !filter.to,
  }
}

/** The filter's meaning, entry by entry: the reference that the fast paths over segments are tested against. */
export function matchesEntry(filter: CompiledFilter, entry: LogEntry): boolean {
  const tag = ['stdout', 'stderr', 'agent'].indexOf(entry.source) * 5 + LEVELS.indexOf(entry.level)
  if (!filter.tags[tag]) return false
  const at = Date.parse(entry.timestamp)
  if (at < filter.from || at >= filter.to) return false
  if (filter.step !== undefined && entry.step !== filter.step) return false
  return filter.pattern?.test(entry.message) ?? true
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
