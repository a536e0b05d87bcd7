import { LEVELS, type Level, SOURCES, type Source } from '#protocol/levels.ts'

/** The filter of the log view; empty lists and texts let everything through. Times are ISO 8601. */
export interface LogQuery {
  readonly source: readonly Source[]
  readonly level: readonly Level[]
  readonly step: string
  readonly search: string
  readonly regex: boolean
  readonly caseSensitive: boolean
  readonly from: string
  readonly to: string
}

/** What the address of a task page says: the filter in REST's names, and `find`, the text to look for among all lines. */
export interface LogAddress extends LogQuery {
  readonly find: string
}

/** A period that ends before it begins is read the other way round. */
export function readAddress(params: URLSearchParams): LogAddress {
  const [from, to] = [instant(params.get('from')), instant(params.get('to'))]
  const isTurned = from && to && Date.parse(from) > Date.parse(to)
  return {
    source: list(params, 'source', SOURCES),
    level: list(params, 'level', LEVELS),
    step: params.get('step') ?? '',
    search: params.get('search') ?? '',
    find: params.get('find') ?? '',
    regex: params.get('regex') === 'true',
    caseSensitive: params.get('caseSensitive') === 'true',
    from: isTurned ? to : from,
    to: isTurned ? from : to,
  }
}

/** The address as a query; parts that are not the log view's own stay as they are in `base`. */
export function writeAddress(
  address: LogAddress,
  base: URLSearchParams = new URLSearchParams(),
): URLSearchParams {
  const params = new URLSearchParams(base)
  const values: Record<string, string> = {
    ...filterValues(address),
    find: address.find,
    regex: address.regex ? 'true' : '',
    caseSensitive: address.caseSensitive ? 'true' : '',
  }
  for (const [name, value] of Object.entries(values)) {
    if (value) params.set(name, value)
    else params.delete(name)
  }
  return params
}

/** The address without a text that is no regular expression, though it should be one: the server would refuse it. */
export function withoutBadPattern(address: LogAddress): LogAddress {
  return address.regex && !compiles(address.search || address.find)
    ? { ...address, search: '', find: '' }
    : address
}

export function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern)
    return true
  } catch {
    return false
  }
}

/** The filter as REST takes it. */
export function filterParams(query: LogQuery): Record<string, string> {
  return Object.fromEntries(Object.entries(filterValues(query)).filter(([, value]) => value !== ''))
}

export const NO_FILTER = {
  source: [],
  level: [],
  step: '',
  search: '',
  from: '',
  to: '',
} as const satisfies Partial<LogAddress>

export const isFiltered = (query: LogQuery): boolean => Object.keys(filterParams(query)).length > 0

/** Whether the live stream leaves lines out; it knows nothing of times. */
export const isSparse = (query: LogQuery): boolean =>
  query.source.length > 0 || query.level.length > 0 || query.step !== '' || query.search !== ''

function filterValues(query: LogQuery): Record<string, string> {
  return {
    source: query.source.join(','),
    level: query.level.join(','),
    step: query.step,
    search: query.search,
    regex: query.search && query.regex ? 'true' : '',
    caseSensitive: query.search && query.caseSensitive ? 'true' : '',
    from: query.from,
    to: query.to,
  }
}

function list<T extends string>(params: URLSearchParams, name: string, known: readonly T[]): T[] {
  const given = params.getAll(name).flatMap(value => value.split(','))
  return known.filter(value => given.some(one => one.trim().toUpperCase() === value.toUpperCase()))
}

function instant(value: string | null): string {
  if (!value) return ''
  const time = Date.parse(value)
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}
