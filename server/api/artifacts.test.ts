import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import type { ArtifactView } from '#protocol/artifact.ts'
import { type Answer, MAX_ARTIFACT_BYTES, openApi } from './test-api.ts'

const shared = await openApi(afterAll)
await shared.call('POST', 'sessions', { body: { id: 's1', name: 'S' } })
await shared.call('POST', 'tasks', { body: { id: 't1', sessionId: 's1' } })
const { call, keyOf } = shared

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const artifactOf = (answer: Answer) => answer.body as unknown as ArtifactView
const text = { 'content-type': 'text/plain' }
/** @returns its id */
const keep = async (path: string, content = 'hello', headers: Record<string, string> = text) => {
  const answer = await call('POST', `tasks/t1/artifacts?path=${encodeURIComponent(path)}`, {
    body: content,
    headers,
  })
  expect(answer.status).toBe(201)
  return artifactOf(answer).id
}

test('a file is kept by one call, listed, read and deleted', async () => {
  const id = await keep('out/report.txt')
  const known = { path: 'out/report.txt', size: 5, sha256: sha256('hello'), complete: true, receivedBytes: 5 }
  expect((await call('GET', `artifacts/${id}`)).body).toMatchObject(known)
  const page = await call('GET', 'tasks/t1/artifacts?path=out/report.txt')
  expect(page.body).toMatchObject({ totalElements: 1, content: [{ id, ...known }] })
  const content = await call('GET', `artifacts/${id}/content`)
  expect(content).toMatchObject({ status: 200, text: 'hello' })
  expect(content.headers.get('etag')).toBe(`"${sha256('hello')}"`)
  expect((await call('DELETE', `artifacts/${id}`)).status).toBe(204)
  for (const gone of [`artifacts/${id}`, `artifacts/${id}/content`])
    expect(await call('GET', gone)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
})

test('a file is announced by JSON and brought in parts, which have to go on', async () => {
  const announcement = { path: 'a/b.md', size: 10, sha256: sha256('0123456789'), description: 'ten' }
  const announced = await call('POST', 'tasks/t1/artifacts', { body: announcement })
  expect(announced).toMatchObject({
    status: 201,
    body: { complete: false, receivedBytes: 0, description: 'ten' },
  })
  const { id } = artifactOf(announced)
  const put = (range: string, body: string) =>
    call('PUT', `artifacts/${id}/content`, { body, headers: { 'content-range': range } })
  expect((await put('bytes 0-3/10', '0123')).body).toMatchObject({ complete: false, receivedBytes: 4 })
  expect(await put('bytes 5-9/10', '56789')).toMatchObject({
    status: 409,
    body: { code: 'OUT_OF_ORDER', receivedBytes: 4 },
  })
  expect(await call('GET', `artifacts/${id}/content`)).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT' },
  })
  expect((await put('bytes 4-9/10', '456789')).body).toMatchObject({
    complete: true,
    contentType: 'text/markdown',
  })
  expect((await call('GET', `artifacts/${id}/content`)).text).toBe('0123456789')
  expect((await call('POST', 'tasks/t1/artifacts', { body: announcement })).body).toMatchObject({
    id,
    complete: true,
  })
})

test('a range, its end, and what is none are answered as the standard has it', async () => {
  const id = await keep('digits', '0123456789')
  const get = (headers: Record<string, string>) => call('GET', `artifacts/${id}/content`, { headers })
  const part = await get({ range: 'bytes=2-4' })
  expect(part).toMatchObject({ status: 206, text: '234' })
  expect(part.headers.get('content-range')).toBe('bytes 2-4/10')
  expect(part.headers.get('content-length')).toBe('3')
  expect(await get({ range: 'bytes=-2' })).toMatchObject({ status: 206, text: '89' })
  const beyond = await get({ range: 'bytes=10-' })
  expect(beyond).toMatchObject({ status: 416, body: { code: 'RANGE_NOT_SATISFIABLE' } })
  expect(beyond.headers.get('content-range')).toBe('bytes */10')
  const tag = `"${sha256('0123456789')}"`
  expect((await get({ range: 'bytes=0-1', 'if-range': tag })).text).toBe('01')
  expect((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).text).toBe('0123456789')
  expect(await get({ 'if-none-match': tag })).toMatchObject({ status: 304, text: '' })
  const head = await call('HEAD', `artifacts/${id}/content`)
  expect(head).toMatchObject({ status: 200, text: '' })
  expect(head.headers.get('content-length')).toBe('10')
})

test('a download is saved, whatever it is, and may do nothing', async () => {
  const id = await keep('süß "x".html', '<script>alert(1)</script>', { 'content-type': 'text/html' })
  const saved = (await call('GET', `artifacts/${id}/content`)).headers
  expect(saved.get('content-type')).toBe('text/html')
  expect(saved.get('content-disposition')).toBe(
    `attachment; filename="s__ _x_.html"; filename*=UTF-8''s%C3%BC%C3%9F%20%22x%22.html`,
  )
  expect(saved.get('content-security-policy')).toMatch(/default-src 'none'.*; sandbox$/)
  expect(saved.get('x-content-type-options')).toBe('nosniff')
  const shown = (await call('GET', `artifacts/${id}/content?inline=1`)).headers
  expect(shown.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(shown.get('content-disposition')).toMatch(/^inline; /)
  const bytes = await keep('x.bin', '\0\x01')
  const binary = (await call('GET', `artifacts/${bytes}/content?inline=1`)).headers
  expect(binary.get('content-disposition')).toMatch(/^attachment; /)
})

test('whoever may write to a task may add and delete its files, whoever may read it may read them', async () => {
  const id = await keep('shared.txt')
  const [viewer, agent, stranger] = [
    await keyOf('viewer', ['s1']),
    await keyOf('agent', ['s1']),
    await keyOf('agent', ['other']),
  ]
  for (const path of ['tasks/t1/artifacts', `artifacts/${id}`, `artifacts/${id}/content`]) {
    expect((await call('GET', path, { key: viewer })).status).toBe(200)
    expect((await call('GET', path, { key: stranger })).status).toBe(403)
  }
  const write = (key: string) =>
    call('POST', 'tasks/t1/artifacts?path=new.txt', { body: 'x', headers: text, key })
  expect((await write(viewer)).status).toBe(403)
  expect((await write(stranger)).status).toBe(403)
  expect((await write(agent)).status).toBe(201)
  const put = { body: 'x', key: viewer }
  expect((await call('PUT', `artifacts/${id}/content`, put)).status).toBe(403)
  expect((await call('DELETE', `artifacts/${id}`, { key: viewer })).status).toBe(403)
  expect((await call('DELETE', `artifacts/${id}`, { key: stranger })).status).toBe(403)
  expect((await call('GET', 'artifacts/nothing', { key: stranger })).status).toBe(403)
  expect((await call('DELETE', `artifacts/${id}`, { key: agent })).status).toBe(204)
})

test('files go with their task, and with its session', async () => {
  const { call, filed, store } = await openApi()
  await call('POST', 'sessions', { body: { id: 's2', name: 'S' } })
  for (const id of ['a', 'b']) {
    await call('POST', 'tasks', { body: { id, sessionId: 's2' } })
    await call('POST', `tasks/${id}/artifacts?path=x`, { body: id, headers: text })
  }
  expect(filed).toEqual(['a', 'a', 'b', 'b'])
  expect((await call('DELETE', 'tasks/a')).status).toBe(204)
  expect(await store.artifacts.countBy('taskId')).toEqual({ b: 1 })
  expect((await call('DELETE', 'sessions/s2')).status).toBe(204)
  expect(await store.artifacts.count()).toBe(0)
})

test('many files come in pages, by path', async () => {
  const { call } = await openApi()
  await call('POST', 'tasks', { body: { id: 'many' } })
  for (const path of ['c', 'a', 'b'])
    await call('POST', `tasks/many/artifacts?path=${path}`, { body: path, headers: text })
  const page = await call('GET', 'tasks/many/artifacts?page=1&size=2')
  expect(page.body).toMatchObject({ totalElements: 3, totalPages: 2, content: [{ path: 'c' }] })
})

const announcement = { path: 'a', size: 1, sha256: sha256('a') }
test.each([
  ['a path that leaves its folder', 'POST', '?path=../x', 'x', 'query: path: must be relative'],
  ['an absolute path', 'POST', '?path=/etc/x', 'x', 'query: path: must be relative'],
  [
    'a path that is no text',
    'POST',
    '',
    { ...announcement, path: 'a\ud800' },
    'body: path: must be relative',
  ],
  ['a sha256 that is none', 'POST', '?path=x&sha256=12', 'x', 'query: sha256: must be 64'],
  ['an announcement without a size', 'POST', '', { path: 'a', sha256: sha256('a') }, 'body: size: '],
  ['nothing', 'POST', '', '', 'announce an artifact by JSON'],
  ['an unknown field', 'POST', '', { ...announcement, name: 'x' }, 'body: name: '],
  ['half of each form', 'POST', '?description=x', announcement, 'query: description goes with path'],
])('%s is refused, with what is wrong', async (_, method, query, body, message) => {
  const headers = typeof body === 'string' ? text : undefined
  const answer = await call(method, `tasks/t1/artifacts${query}`, { body, headers })
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(message) } })
})

test('a form, a packed body and JSON that is cut are refused', async () => {
  const post = (headers: Record<string, string>, query = '?path=x') =>
    call('POST', `tasks/t1/artifacts${query}`, { body: '{"a', headers })
  const form = await post({ 'content-type': 'multipart/form-data; boundary=x' })
  expect(form).toMatchObject({
    status: 415,
    body: { detail: expect.stringContaining('send the file itself') },
  })
  const packed = await post({ 'content-type': 'text/plain', 'content-encoding': 'gzip' })
  expect(packed).toMatchObject({ status: 415, body: { detail: expect.stringContaining('as it is') } })
  const cut = await post({ 'content-type': 'application/json' }, '')
  expect(cut).toMatchObject({ status: 400, body: { detail: expect.stringContaining('is not JSON') } })
})

test('a file over the limit of the server is refused, and the limit named', async () => {
  const size = MAX_ARTIFACT_BYTES + 1
  const announced = await call('POST', 'tasks/t1/artifacts', { body: { ...announcement, size } })
  expect(announced).toMatchObject({ status: 413, body: { detail: expect.stringContaining('at most 3 MB') } })
  const sent = await call('POST', 'tasks/t1/artifacts?path=big', { body: 'x'.repeat(size), headers: text })
  expect(sent).toMatchObject({
    status: 413,
    body: { detail: expect.stringContaining('KERUTA_MAX_ARTIFACT_MB') },
  })
  expect((await call('GET', 'tasks/t1/artifacts?path=big')).body.totalElements).toBe(0)
})

test('an unknown task has no files, and takes none', async () => {
  expect((await call('GET', 'tasks/none/artifacts')).status).toBe(404)
  expect((await call('POST', 'tasks/none/artifacts', { body: announcement })).status).toBe(404)
})
