import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { openApi } from './test-api.ts'

/** For what is refused, and so leaves nothing behind. */
const shared = await openApi(afterAll)

const NDJSON = { 'content-type': 'application/x-ndjson' }

test('one entry posted by itself is answered with its place; many with how many and the last', async () => {
  const { call } = await openApi()
  const one = await call('POST', 'tasks/task123/logs', {
    body: { source: 'stdout', level: 'info', message: 'hello' },
  })
  expect(one).toMatchObject({ status: 200, body: { id: 'task123:1', seq: 1 } })
  const list = await call('POST', 'tasks/task123/logs', { body: [{ message: 'a' }, { message: 'b' }] })
  expect(list).toMatchObject({ status: 200, body: { accepted: 2, lastSeq: 3 } })
  const entries = await call('POST', 'tasks/task123/logs', { body: { entries: [{ message: 'c' }] } })
  expect(entries.body).toEqual({ accepted: 1, lastSeq: 4 })
  const lines = await call('POST', 'tasks/task123/logs', {
    body: '{"message":"d"}\n\n{"message":"e"}\n',
    headers: NDJSON,
  })
  expect(lines.body).toEqual({ accepted: 2, lastSeq: 6 })
  const read = await call('GET', 'tasks/task123/logs')
  expect(read.body.content.map(entry => entry.message).join('')).toBe('helloabcde')
})

test('a gzipped body is taken, and a bomb is not', async () => {
  const { call } = await openApi()
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const good = await call('POST', 'tasks/t/logs', { body: gzipSync('[{"message":"a"}]'), headers })
  expect(good.body).toEqual({ accepted: 1, lastSeq: 1 })
  const bomb = await call('POST', 'tasks/t/logs', { body: gzipSync(Buffer.alloc(50_000_000, 32)), headers })
  expect(bomb).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } })
  const lie = await call('POST', 'tasks/t/logs', { body: '[{"message":"a"}]', headers })
  expect(lie).toMatchObject({ status: 400 })
  expect(lie.body.detail).toContain('gzip')
  const brotli = await call('POST', 'tasks/t/logs', {
    body: 'x',
    headers: { ...headers, 'content-encoding': 'br' },
  })
  expect(brotli.status).toBe(415)
})

test('writing to an unknown task creates it, named after its id; reading one is 404', async () => {
  const { call } = await openApi()
  expect((await call('GET', 'tasks/t1/logs')).status).toBe(404)
  await call('POST', 'tasks/t1/logs', { body: { message: 'x' } })
  const task = await call('GET', 'tasks/t1')
  expect(task.body).toMatchObject({ id: 't1', name: 't1', status: 'PENDING', logs: { total: 1, lastSeq: 1 } })
})

test.each<[string, unknown, Record<string, string>, number, string, string]>([
  ['JSON that ends too soon', '{"message":', {}, 400, '', 'not JSON'],
  ['JSON with a stray comma', '{"message":\n"a",}', {}, 400, '', 'line 2, column 5'],
  ['NDJSON with a bad line', '{"message":"a"}\nnope\n', NDJSON, 400, '1', 'line 2 is not JSON'],
  [
    'a list with an unknown level',
    [{ message: 'a' }, { message: 'b', level: 'LOUD' }],
    {},
    400,
    '1.level',
    'LOUD',
  ],
  ['entries with a wrong type', { entries: [{ message: 7 }] }, {}, 400, 'entries.0.message', 'string'],
  ['entries that are no list', { entries: 'x' }, {}, 400, 'entries', 'array'],
  ['an unknown source', { message: 'a', source: 'printer' }, {}, 400, 'source', 'stdout, stderr, agent'],
  ['a time that is none', { message: 'a', timestamp: 'yesterday' }, {}, 400, 'timestamp', 'ISO 8601'],
  ['a line number of 0', { message: 'a', lineNumber: 0 }, {}, 400, 'lineNumber', ''],
  ['no message', { level: 'INFO' }, {}, 400, 'message', 'must be a string'],
  ['a bare string', '"hello"', {}, 400, '', 'expected object'],
])('a body with %s is refused with the place and the reason, and nothing is stored', async (...row) => {
  const [, body, headers, status, path, reason] = row
  const { call } = shared
  const answer = await call('POST', 'tasks/t/logs', {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body.errors[0]!.path).toBe(path)
  expect(answer.body.errors[0]!.message).toContain(reason)
  expect((await call('GET', 'tasks/t')).status).toBe(404)
})

test('an empty body, one over the limit, a wrong media type and bytes that are no text are refused', async () => {
  const { call } = shared
  const json = { 'content-type': 'application/json' }
  expect((await call('POST', 'tasks/t/logs', { body: [] })).body.detail).toContain('no entry')
  expect((await call('POST', 'tasks/t/logs', { body: '', headers: NDJSON })).status).toBe(400)
  expect(
    (await call('POST', 'tasks/t/logs', { body: `"${'x'.repeat(5_000_000)}"`, headers: json })).status,
  ).toBe(413)
  const form = await call('POST', 'tasks/t/logs', {
    body: 'a=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(form).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
  expect(form.body.detail).toContain('send application/json')
  expect(
    (await call('POST', 'tasks/t/logs', { body: Uint8Array.of(0xff, 0xfe), headers: json })).status,
  ).toBe(400)
})

async function withLines() {
  const api = await openApi()
  const entries = Array.from({ length: 10 }, (_, index) => ({
    source: index % 2 === 0 ? 'stdout' : 'stderr',
    level: index % 5 === 4 ? 'ERROR' : 'INFO',
    message: `line ${index + 1}`,
    timestamp: new Date(Date.parse('2024-01-01T12:00:00Z') + index * 60_000).toISOString(),
  }))
  await api.call('POST', 'tasks/t/logs', { body: entries })
  const seqs = async (query: string) => {
    const { body } = await api.call('GET', `tasks/t/logs?${query}`)
    return body.content.map(entry => entry.seq)
  }
  return { ...api, seqs }
}

test('a page tells where it stands', async () => {
  const { call } = await withLines()
  const { body } = await call('GET', 'tasks/t/logs?page=1&size=4')
  expect(body).toMatchObject({
    page: 1,
    number: 1,
    size: 4,
    totalElements: 10,
    totalPages: 3,
    first: false,
    last: false,
  })
  expect(body.content[0]).toMatchObject({ id: 't:5', taskId: 't', seq: 5, source: 'stdout', level: 'ERROR' })
})

test('filters narrow a page: lists by comma or repeated, levels in any case, text, regex, times', async () => {
  const { seqs } = await withLines()
  expect(await seqs('level=ERROR')).toEqual([5, 10])
  expect(await seqs('level=error,critical&source=stderr')).toEqual([10])
  expect(await seqs('source=stdout&source=stderr&minLevel=warning')).toEqual([5, 10])
  expect(await seqs('search=LINE%201')).toEqual([1, 10])
  expect(await seqs('search=LINE%201&caseSensitive=true')).toEqual([])
  expect(await seqs('search=%5Eline%20%5B23%5D%24&regex=true')).toEqual([2, 3])
  expect(await seqs('from=2024-01-01T12:01:00Z&to=2024-01-01T12:03:00Z')).toEqual([2, 3])
})

test('a slice lies next to a seq, in either direction, and says where it ended', async () => {
  const { call, seqs } = await withLines()
  const { body } = await call('GET', 'tasks/t/logs?after=3&limit=2')
  expect(body).toMatchObject({ cursor: 5, done: false, firstSeq: 1, lastSeq: 10 })
  expect(await seqs('after=3&limit=2')).toEqual([4, 5])
  expect(await seqs('before=4&limit=2')).toEqual([3, 2])
  expect(await seqs('before=4&limit=2&order=asc')).toEqual([1, 2])
  expect(await seqs('limit=3&order=desc')).toEqual([10, 9, 8])
})

test.each([
  ['levle=ERROR', 'levle', 'did you mean "level"?'],
  ['serach=x', 'serach', 'did you mean "search"?'],
  ['limit=1&pgae=1', 'pgae', 'did you mean "page"?'],
  ['whatever=1', 'whatever', 'known are source, level'],
  ['page=-1', 'page', ''],
  ['page=1.5', 'page', ''],
  ['page=x', 'page', 'whole number'],
  ['page=1&page=2', 'page', ''],
  ['size=0', 'size', ''],
  ['size=1e9', 'size', '1000'],
  ['limit=1001', 'limit', '1000'],
  ['after=-1', 'after', 'seq'],
  ['order=up', 'order', 'asc or desc'],
  ['level=LOUD', 'level.0', 'LOUD'],
  ['source=stdout,printer', 'source.1', 'stdout, stderr, agent'],
  ['from=yesterday', 'from', 'ISO 8601'],
  ['from=2024-01-01T09:00:00+09:00', 'from', '%2B'],
  ['from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z', 'to', 'before from'],
  ['regex=maybe', 'regex', 'true or false'],
  ['regex=true&search=(', 'search', 'not a regular expression'],
  [`search=${'x'.repeat(1001)}`, 'search', '1000'],
  ['page=1&after=1', 'page', 'either'],
])('the query %s is refused: it names the parameter and the reason', async (query, path, reason) => {
  const { call } = shared
  const answer = await call('GET', `tasks/t/logs?${query}`)
  expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } })
  expect(answer.body.errors.map(error => error.path)).toContain(path)
  expect(answer.body.errors.map(error => error.message).join()).toContain(reason)
})

test.each(['a%2Fb', '%ZZ', '%E0%A4%A', '..%2F..%2Fetc', '-x', 'a%20b', '%E2%82%AC', 'x'.repeat(129), 'a%00'])(
  'the task id %s is refused',
  async id => {
    const { call } = shared
    for (const [method, path] of [
      ['GET', 'logs'],
      ['POST', 'logs'],
      ['POST', 'start'],
    ] as const) {
      const answer = await call(method, `tasks/${id}/${path}`, method === 'POST' ? { body: {} } : {})
      expect(answer.status).toBe(400)
      expect(answer.body.errors[0]).toMatchObject({ path: 'taskId' })
    }
  },
)

test('statistics count by level and source, and over time where an interval is given', async () => {
  const { call } = await withLines()
  const { body } = await call('GET', 'tasks/t/logs/stats')
  expect(body).toMatchObject({
    taskId: 't',
    totalLogs: 10,
    byLevel: { INFO: 8, ERROR: 2, DEBUG: 0, WARN: 0, CRITICAL: 0 },
    bySource: { stdout: 5, stderr: 5, agent: 0 },
    firstTimestamp: '2024-01-01T12:00:00.000Z',
    lastTimestamp: '2024-01-01T12:09:00.000Z',
  })
  const over = await call('GET', 'tasks/t/logs/stats?interval=5m&source=stdout')
  expect(over.body.histogram.intervalMs).toBe(300_000)
  expect(over.body.histogram.buckets.map(bucket => bucket.total)).toEqual([3, 2])
  const bad = await call('GET', 'tasks/t/logs/stats?interval=often')
  expect(bad.body.errors[0]).toMatchObject({ path: 'interval' })
  expect((await call('GET', 'tasks/none/logs/stats')).status).toBe(404)
})

test.each([
  ['json', 'application/json', '[', ']'],
  ['ndjson', 'application/x-ndjson', '{', '}'],
  [
    'csv',
    'text/csv; charset=utf-8',
    'seq,timestamp,source,level,message,lineNumber,step,durationMs,metadata,id',
    '',
  ],
  ['txt', 'text/plain; charset=utf-8', '', ''],
])('an export as %s is a file to keep', async (format, type, start, end) => {
  const { call } = await withLines()
  const answer = await call('GET', `tasks/t/logs/export?format=${format}&level=ERROR`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe(type)
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="t_logs.${format}"`)
  expect(answer.text.trim().startsWith(start)).toBe(true)
  expect(answer.text.trim().endsWith(end)).toBe(true)
  expect(answer.text).toContain('line 10')
  expect(answer.text).not.toContain('line 2')
})

test('an export is gzipped for who takes it', async () => {
  const { app, keyOf } = await withLines()
  const response = await app.request(`/api/v1/tasks/t/logs/export?token=${await keyOf('viewer')}`, {
    headers: { 'accept-encoding': 'gzip' },
  })
  expect(response.headers.get('content-encoding')).toBe('gzip')
  expect(JSON.parse(gunzipSync(await response.arrayBuffer()).toString())).toHaveLength(10)
})

test('a body that breaks off is the fault of who sent it, and nothing of it is stored', async () => {
  const { app, keyOf, call } = await openApi()
  const body = new ReadableStream({
    start: controller => controller.enqueue(new TextEncoder().encode('{"mess')),
    pull: controller => controller.error(new Error('aborted')),
  })
  const headers = { authorization: `Bearer ${await keyOf('agent')}`, 'content-type': 'application/json' }
  const response = await app.request('/api/v1/tasks/cut/logs', {
    method: 'POST',
    body,
    headers,
    duplex: 'half',
  } as RequestInit)
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { detail: 'the body broke off before its end' },
  ])
  expect((await call('GET', 'tasks/cut')).status).toBe(404)
})

test('an export whose regular expression never ends is refused, not a file that breaks off', async () => {
  const { call } = await openApi()
  await call('POST', 'tasks/t/logs', { body: { message: `${'a'.repeat(60)}!` } })
  const answer = await call('GET', 'tasks/t/logs/export?format=csv&regex=true&search=^(a%2B)%2B$')
  expect(answer).toMatchObject({ status: 422, body: { code: 'QUERY_TIMEOUT' } })
  expect(answer.headers.get('content-disposition')).toBeNull()
})

test('an export in an unknown format, or of an unknown task, is refused', async () => {
  const { call } = await withLines()
  const format = await call('GET', 'tasks/t/logs/export?format=pdf')
  expect(format.body.errors[0]).toMatchObject({
    path: 'format',
    message: expect.stringContaining('json, ndjson, csv'),
  })
  expect((await call('GET', 'tasks/none/logs/export')).status).toBe(404)
})

test('entries before a time are deleted, or all; seq goes on', async () => {
  const { call, seqs } = await withLines()
  const before = await call('DELETE', 'tasks/t/logs?before=2024-01-01T12:05:00Z')
  expect(before).toMatchObject({ status: 200, body: { deleted: 5 } })
  expect(await seqs('')).toEqual([6, 7, 8, 9, 10])
  expect((await call('DELETE', 'tasks/t/logs')).body).toEqual({ deleted: 5 })
  expect((await call('POST', 'tasks/t/logs', { body: { message: 'next' } })).body.seq).toBe(11)
  expect((await call('DELETE', 'tasks/t/logs?before=soon')).body.errors[0]!.path).toBe('before')
  expect((await call('DELETE', 'tasks/none/logs')).status).toBe(404)
})

test('a search goes across tasks, the newest first, page by page', async () => {
  const { call } = await openApi()
  for (const [task, minute] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const) {
    const timestamp = `2024-01-01T12:0${minute}:00Z`
    await call('POST', `tasks/${task}/logs`, {
      body: [
        { message: 'needle', timestamp },
        { message: 'hay', timestamp },
      ],
    })
  }
  const found = await call('GET', 'logs/search?search=needle&limit=2')
  expect(found.body.content.map(entry => entry.taskId)).toEqual(['c', 'b'])
  const rest = await call(
    'GET',
    `logs/search?search=needle&limit=2&cursor=${encodeURIComponent(found.body.cursor)}`,
  )
  expect(rest.body.content.map(entry => entry.taskId)).toEqual(['a'])
  const some = await call('GET', 'logs/search?taskId=a,b&search=needle')
  expect(some.body.content.map(entry => entry.taskId)).toEqual(['b', 'a'])
})

test('a stream starts after Last-Event-ID, else after the address, and may wait for a task to come', async () => {
  const { call, streams } = await openApi()
  await call('GET', 'tasks/t/logs/stream?after=3&level=ERROR')
  await call('GET', 'tasks/t/logs/stream?after=3', { headers: { 'last-event-id': '7' } })
  await call('GET', 'tasks/t/logs/stream')
  expect(streams.map(([, taskId, , after]) => [taskId, after])).toEqual([
    ['t', 3],
    ['t', 7],
    ['t', undefined],
  ])
  expect(streams[0]![2]).toEqual({ level: ['ERROR'] })
})

test('a HEAD tells of an export or a stream and opens neither', async () => {
  const { call, streams } = await withLines()
  const file = await call('HEAD', 'tasks/t/logs/export?format=csv')
  expect(file).toMatchObject({ status: 200, text: '' })
  expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect((await call('HEAD', 'tasks/t/logs/stream')).status).toBe(200)
  expect(streams).toEqual([])
})
