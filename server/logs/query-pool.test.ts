import { afterAll, beforeAll, expect, test } from 'vitest'
import { KerutaError } from '#protocol/errors.ts'
import type { LogEntry } from '#protocol/log.ts'
import { compileFilter, type LogFilter, matchesEntry } from '#protocol/log-filter.ts'
import { Segment } from '#protocol/segment.ts'
import { BASE, openTestStore, type TestStore } from '#server/test/log-store.ts'
import type { LogQueries } from './queries.ts'
import { Lane } from './query/lane.ts'
import { openLogQueries } from './query-pool.ts'

let testStore: TestStore
let queries: LogQueries
const log: LogEntry[] = []

/** 60 segments of 50 lines, half of them compressed; times go back now and then; rare steps and metadata. */
beforeAll(async () => {
  testStore = await openTestStore()
  for (let segment = 0; segment < 60; segment++) {
    const lines = Array.from({ length: 50 }, (_, line) => {
      const n = segment * 50 + line
      return {
        message: n % 7 === 0 ? `Error: number ${n} failed\nat line ${n}` : `line ${n} of many`,
        at: 1000 + n * 10 - (n % 11 === 0 ? 700 : 0),
        level: n % 7 === 0 ? 3 : n % 3 === 0 ? 0 : 1,
        source: n % 5 === 0 ? 1 : 0,
        extra: n % 97 === 0 ? { step: 'build', metadata: { n }, durationMs: 1.5 } : undefined,
      }
    })
    log.push(...(await testStore.append('task', lines, segment % 2 ? 'zstd' : 'raw')))
  }
  queries = openLogQueries(testStore.location, { regexBudgetMs: 300 })
})
afterAll(async () => {
  await queries.close()
  await testStore.close()
})

const at = (ms: number) => new Date(BASE + ms).toISOString()
const FILTERS: [string, LogFilter][] = [
  ['nothing', {}],
  ['a level', { level: ['ERROR'] }],
  ['a source and a least level', { source: ['stderr'], minLevel: 'INFO' }],
  ['a time range', { from: at(5005), to: at(20_011) }],
  ['a step', { step: 'build' }],
  ['a text in another case', { search: 'ERROR: NUMBER' }],
  ['a text, a level and a time', { search: 'failed', level: ['ERROR'], from: at(9999) }],
  ['a regular expression', { search: '^error.*\\d7 ', regex: true }],
  ['what no line has', { search: 'nowhere' }],
]
const expected = (filter: LogFilter) => {
  const compiled = compileFilter(filter)
  return log.filter(entry => matchesEntry(compiled, entry))
}

test.each(FILTERS)(
  'pages, slices, statistics and exports agree with the entries one by one, filtered by %s',
  async (_, filter) => {
    const all = expected(filter)
    for (const order of ['asc', 'desc'] as const) {
      const ordered = order === 'asc' ? all : all.toReversed()
      for (const page of [0, 1, 7, 400]) {
        const answer = await queries.page('task', filter, page, 23, order)
        expect(answer).toEqual({ entries: ordered.slice(page * 23, page * 23 + 23), total: all.length })
      }
      const found: LogEntry[] = []
      for (let cursor: number | undefined, done = false; !done; ) {
        const range = order === 'asc' ? { after: cursor } : { before: cursor }
        const slice = await queries.slice('task', filter, { ...range, limit: 77, order })
        expect(slice).toMatchObject({ firstSeq: 1, lastSeq: 3000 })
        found.push(...slice.entries)
        ;({ cursor, done } = slice)
      }
      expect(found).toEqual(ordered)
    }
    const read: LogEntry[] = []
    for (let cursor = 0, lastSeq = 1; cursor < lastSeq; ) {
      const answer = await queries.read('task', filter, cursor)
      for (const { firstSeq, bytes } of answer.segments ?? []) {
        const segment = new Segment(bytes)
        for (let line = 0; line < segment.count; line++) read.push(segment.entry(line, 'task', firstSeq))
      }
      read.push(...(answer.entries ?? []))
      ;({ cursor, lastSeq } = answer)
    }
    expect(read).toEqual(all)
    expect(JSON.parse(await exported(filter, 'json'))).toEqual(all)
    expect(await exported(filter, 'ndjson')).toBe(all.map(entry => `${JSON.stringify(entry)}\n`).join(''))
    expect(await exported(filter, 'txt')).toBe(all.map(entry => `${entry.message}\n`).join(''))

    const times = all.map(entry => entry.timestamp).sort()
    const stats = await queries.stats('task', filter, 1000)
    expect(stats).toMatchObject({
      totalLogs: all.length,
      firstTimestamp: times[0] ?? null,
      lastTimestamp: times.at(-1) ?? null,
    })
    expect(stats.byLevel.ERROR).toBe(all.filter(entry => entry.level === 'ERROR').length)
    expect(stats.bySource.stderr).toBe(all.filter(entry => entry.source === 'stderr').length)
    const buckets = Map.groupBy(all, entry => `${entry.timestamp.slice(0, 19)}.000Z`)
    expect(stats.histogram?.buckets.map(bucket => [bucket.at, bucket.total])).toEqual(
      [...buckets].map(([start, entries]) => [start, entries.length]).sort(),
    )

    const newest = all.toSorted((a, b) =>
      a.timestamp === b.timestamp ? b.seq - a.seq : a.timestamp < b.timestamp ? 1 : -1,
    )
    const hits: LogEntry[] = []
    for (let cursor: string | undefined | null; cursor !== null; ) {
      const answer = await queries.search(filter, {
        limit: 100,
        cursor: cursor ?? undefined,
        taskIds: ['task'],
      })
      hits.push(...answer.entries)
      cursor = answer.cursor
    }
    expect(hits).toEqual(newest)
  },
)

async function exported(filter: LogFilter, format: 'json' | 'ndjson' | 'csv' | 'txt', taskId = 'task') {
  return new Response(await queries.export(taskId, filter, format)).text()
}

test('the text of a log is what was printed: lines in parts are whole, and what replaces a line comes after a carriage return', async () => {
  const [stderr, goesOn, replaces] = [1, 33, 65]
  await testStore.append('parts', [
    { message: 'a long ', lineNumber: 1 },
    { message: 'line', lineNumber: 1, level: goesOn },
    { message: '0 %', lineNumber: 2 },
    { message: '50 %', lineNumber: 2, level: replaces },
    { message: 'half', lineNumber: 3 },
    { message: 'an error', source: stderr, lineNumber: 1 },
  ])
  await testStore.append('parts', [
    { message: ' and whole', lineNumber: 3, level: goesOn },
    { message: ' at last', lineNumber: 3, level: goesOn },
    { message: '', lineNumber: 4 },
  ])
  expect(await exported({}, 'txt', 'parts')).toBe(
    'a long line\n0 %\r50 %\nhalf\nan error\n and whole at last\n\n',
  )
  const stdout = 'a long line\n0 %\r50 %\nhalf and whole at last\n\n'
  expect(await exported({ source: ['stdout'] }, 'txt', 'parts')).toBe(stdout)
  expect(await exported({ search: 'l' }, 'txt', 'parts')).toBe('a long line\nhalf and whole at last\n')
  expect(await exported({ search: '50 %' }, 'txt', 'parts')).toBe('50 %\n')
})

test('a live reader is given a bounded piece at once, also where the lines are short and their metadata is not', async () => {
  const extra = { metadata: { text: 'x'.repeat(60_000) } }
  for (let part = 0; part < 30; part++) await testStore.append('heavy', [{ message: 'x', extra }])
  const whole = await queries.read('heavy', {}, 0)
  expect(whole.cursor).toBeLessThan(10)
  const matching = await queries.read('heavy', { level: ['INFO'] }, whole.cursor)
  expect(matching.entries!.length).toBeLessThan(10)
  expect(matching.cursor).toBe(whole.cursor + matching.entries!.length)
})

test('an automatic histogram has at most 120 buckets of a round width', async () => {
  const { histogram } = await queries.stats('task', {}, 'auto')
  expect(histogram?.intervalMs).toBe(500)
  expect(histogram?.buckets.length).toBeLessThanOrEqual(120)
  expect(histogram?.buckets.reduce((sum, bucket) => sum + bucket.total, 0)).toBe(log.length)
})

test('an interval that would give too many buckets is refused', async () => {
  await testStore.append(
    'wide',
    Array.from({ length: 11_000 }, (_, n) => ({ message: '', at: 1 + n * 2 })),
  )
  await expect(queries.stats('wide', {}, 1)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})

test('a task without lines answers nothing, and its export is a whole file', async () => {
  expect(await queries.page('none', {}, 0, 10, 'asc')).toEqual({ entries: [], total: 0 })
  expect(await queries.slice('none', {}, { limit: 5, order: 'desc' })).toMatchObject({
    entries: [],
    done: true,
  })
  expect(await queries.read('none', {}, 0)).toMatchObject({ segments: [], cursor: 0, lastSeq: 0 })
  expect(await queries.stats('none', {}, 'auto')).toMatchObject({ totalLogs: 0, firstTimestamp: null })
  expect(JSON.parse(await exported({}, 'json', 'none'))).toEqual([])
  expect(await exported({}, 'csv', 'none')).toMatch(/^seq,timestamp,[a-zA-Z,]+\r\n$/)
})

test('CSV quotes what needs it and defuses formulas, but leaves numbers alone', async () => {
  const messages = [
    'plain',
    'a,b',
    'say "hi"',
    'two\nlines',
    '=1+1',
    '-5.5',
    '+3e4',
    '- item',
    '@home',
    '\ttab',
    '日本',
    '',
  ]
  await testStore.append('csv', [
    ...messages.map(message => ({ message })),
    { message: 'rare', extra: { step: '=s', metadata: { a: 1 }, durationMs: 2 } },
  ])
  const [header, ...rows] = (await exported({}, 'csv', 'csv')).split('\r\n')
  expect(header).toBe('seq,timestamp,source,level,message,lineNumber,step,durationMs,metadata,id')
  expect(rows.map(row => row.replace(/^\d+,[^,]*,stdout,INFO,/, '').replace(/,csv:\d+$/, ''))).toEqual([
    'plain,1,,,',
    '"a,b",2,,,',
    '"say ""hi""",3,,,',
    '"two\nlines",4,,,',
    '"\'=1+1",5,,,',
    '-5.5,6,,,',
    '+3e4,7,,,',
    '"\'- item",8,,,',
    '"\'@home",9,,,',
    '"\'\ttab",10,,,',
    '日本,11,,,',
    ',12,,,',
    'rare,13,"\'=s",2,"{""a"":1}"',
    '',
  ])
  expect(rows[0]).toMatch(/^1,2024-01-01T00:00:00\.\d{3}Z,stdout,INFO,plain,1,,,,csv:1$/)
})

test('a regular expression that never ends is stopped, disturbs no other query, and the next one is answered', async () => {
  await testStore.append('evil', [{ message: `${'a'.repeat(40)}!` }])
  const hostile = queries.page('evil', { search: '^(a+)+$', regex: true }, 0, 10, 'asc')
  const next = queries.page('evil', { search: '^a+!$', regex: true }, 0, 10, 'asc')
  expect((await queries.page('task', {}, 0, 10, 'asc')).total).toBe(3000)
  await expect(hostile).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  expect((await next).total).toBe(1)
})

test('a reader that leaves stops its export, and one whose log is deleted gets the end of its file', async () => {
  const lines = Array.from({ length: 4000 }, (_, n) => ({ message: `${n} ${'x'.repeat(60)}` }))
  for (let part = 0; part < 8; part++) await testStore.append('long', lines, 'zstd')
  const leaving = (await queries.export('long', {}, 'json')).getReader()
  await leaving.read()
  await leaving.cancel()
  const staying = (await queries.export('long', {}, 'json')).getReader()
  const chunks = [(await staying.read()).value]
  await testStore.store.segments.remove('long')
  for (let next = await staying.read(); !next.done; next = await staying.read()) chunks.push(next.value)
  const entries = JSON.parse(Buffer.concat(chunks as Uint8Array[]).toString()) as LogEntry[]
  expect(entries.map(entry => entry.seq)).toEqual(entries.map((_, index) => index + 1))
  expect(entries.length).toBeLessThan(32_000)
})

test('search puts lines of all tasks into one order, newest first, over any number of pages', async () => {
  const entries: LogEntry[] = []
  for (const [task, start] of [
    ['s1', 0],
    ['s2', 5],
    ['s1', 300],
    ['s3', 20],
    ['s2', 310],
  ] as const)
    entries.push(
      ...(await testStore.append(
        task,
        Array.from({ length: 40 }, (_, n) => ({ message: `across ${n}`, at: 1 + start + (n % 13) * 20 })),
      )),
    )
  const order = entries.toSorted(
    (a, b) =>
      Date.parse(b.timestamp) - Date.parse(a.timestamp) ||
      (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : b.seq - a.seq),
  )
  const found: LogEntry[] = []
  for (let cursor: string | undefined | null; cursor !== null; ) {
    const answer = await queries.search({ search: 'across' }, { limit: 17, cursor: cursor ?? undefined })
    found.push(...answer.entries)
    cursor = answer.cursor
  }
  expect(found.map(entry => entry.id)).toEqual(order.map(entry => entry.id))
  await expect(queries.search({}, { limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
})

test('searches and slices without time left answer what is certain and where to go on, to the same end', async () => {
  const hasty = openLogQueries(testStore.location, { searchBudgetMs: 0 })
  const filter: LogFilter = { search: 'error: number' }
  const found: LogEntry[] = []
  let calls = 0
  for (let cursor: string | undefined | null; cursor !== null; calls++) {
    const answer = await hasty.search(filter, { limit: 1000, cursor: cursor ?? undefined, taskIds: ['task'] })
    found.push(...answer.entries)
    cursor = answer.cursor
  }
  expect(calls).toBeGreaterThan(10)
  expect(found.map(entry => entry.seq).toSorted((a, b) => a - b)).toEqual(
    expected(filter).map(entry => entry.seq),
  )
  const slice = await hasty.slice('task', filter, { limit: 1000, order: 'asc' })
  expect(slice).toMatchObject({ done: false, cursor: 50 })
  await hasty.close()
})

test('a query whose thread dies is an error, and the next one is answered by a new thread', async () => {
  const lane = new Lane(testStore.location, { stays: false })
  const filter = compileFilter({})
  const request = { taskId: 'task', filter, page: 0, size: 10, order: 'asc' as const }
  expect((await lane.ask('page', request)).total).toBe(3000)
  const lost = lane.ask('page', { ...request, size: 1000 })
  const reason = new KerutaError('INTERNAL', 'ended')
  await Promise.all([expect(lost).rejects.toBe(reason), lane.kill(reason)])
  expect((await lane.ask('page', request)).total).toBe(3000)
  await lane.close()
  await expect(lane.ask('page', request)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})

test('a thread that does not run yet, or no more, has used no time', async () => {
  const lane = new Lane(testStore.location, { stays: false })
  const request = { taskId: 'task', filter: compileFilter({}), page: 0, size: 10, order: 'asc' as const }
  const answer = lane.ask('page', request)
  expect(await lane.cpuMs()).toBe(0)
  expect((await answer).total).toBe(3000)
  expect(await lane.cpuMs()).toBeGreaterThan(0)
  const asked = lane.cpuMs()
  await lane.kill(new KerutaError('INTERNAL', 'ended'))
  expect(await asked).toBeGreaterThanOrEqual(0)
})
