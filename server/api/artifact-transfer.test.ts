import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ArtifactView } from '#protocol/artifact.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

const MIB = 1024 * 1024
let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.post('/tasks', { id: 't1' })
})
afterAll(() => server.dispose())

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const announce = (path: string, bytes: Uint8Array) =>
  server.post<ArtifactView>('/tasks/t1/artifacts', { path, size: bytes.length, sha256: sha256(bytes) })
const view = async (id: string) => (await (await server.api(`/artifacts/${id}`)).json()) as ArtifactView
const rssBytes = async () => {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024
}

/** A call whose body is written bit by bit. */
function calling(method: string, path: string, headers: Record<string, string | number> = {}) {
  const request = httpRequest(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers },
  })
  const answer = once(request, 'response').then(async ([response]) => ({
    status: response.statusCode as number,
    body: JSON.parse(await text(response)),
  }))
  answer.catch(() => {})
  return { request, answer }
}

/** Sends the first `count` bytes of an upload, which then breaks off once the server has some of them. */
async function cutUpload(id: string, bytes: Buffer, count: number, cut: () => unknown): Promise<void> {
  const { request } = calling('PUT', `/artifacts/${id}/content`, { 'content-length': bytes.length })
  request.on('error', () => {})
  request.write(bytes.subarray(0, count))
  await expect.poll(async () => (await view(id)).receivedBytes).toBeGreaterThan(0)
  await cut()
  request.destroy()
}

/** As a sender does: what was on its way when the connection broke may have arrived since, which a 409 tells. */
async function resume(id: string, bytes: Buffer): Promise<ArtifactView> {
  let { receivedBytes } = await view(id)
  for (;;) {
    expect(receivedBytes).toBeGreaterThan(0)
    const answer = await server.api(`/artifacts/${id}/content`, {
      method: 'PUT',
      headers: { 'content-range': `bytes ${receivedBytes}-${bytes.length - 1}/${bytes.length}` },
      body: new Uint8Array(bytes.subarray(receivedBytes)),
    })
    const body = await answer.json()
    if (answer.status === 200) return body as ArtifactView
    expect(answer.status).toBe(409)
    expect(body.receivedBytes).toBeGreaterThan(receivedBytes)
    receivedBytes = body.receivedBytes
  }
}

const contentOf = async (id: string) =>
  Buffer.from(await (await server.api(`/artifacts/${id}/content`)).arrayBuffer())

test('an upload goes on after its connection was cut, and after the server was killed or stopped', async () => {
  const bytes = randomBytes(4 * MIB)
  const first = await announce('cut', bytes)
  await cutUpload(first.id, bytes, 2 * MIB, () => {})
  expect(await resume(first.id, bytes)).toMatchObject({ complete: true })
  const second = await announce('killed', bytes)
  await cutUpload(second.id, bytes, 2 * MIB, () => server.stop('SIGKILL'))
  await server.start()
  expect(await resume(second.id, bytes)).toMatchObject({ complete: true })
  const third = await announce('stopped', bytes)
  await cutUpload(third.id, bytes, 2 * MIB, async () => {
    await server.stop()
    expect(server.output).not.toContain('"level":"error"')
  })
  await server.start()
  expect(await resume(third.id, bytes)).toMatchObject({ complete: true })
  for (const { id } of [first, second, third]) expect((await contentOf(id)).equals(bytes)).toBe(true)
})

test('a large file goes through in both directions, with a sender and a reader that take their time', async () => {
  const part = randomBytes(MIB)
  const before = await rssBytes()
  const hash = createHash('sha256')
  const { request, answer } = calling('POST', '/tasks/t1/artifacts?path=large', {
    'transfer-encoding': 'chunked',
  })
  for (let sent = 0; sent < 120; sent++) {
    hash.update(part)
    if (!request.write(part)) await once(request, 'drain')
  }
  request.end()
  const { body } = await answer
  expect(body).toMatchObject({ complete: true, size: 120 * MIB, sha256: hash.digest('hex') })

  const download = httpRequest(`${server.url}/api/v1/artifacts/${body.id}/content`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  }).end()
  const [response] = await once(download, 'response')
  // Nothing is read: what the server reads ahead would show.
  await expect.poll(() => response.readableLength).toBeGreaterThan(0)
  await server.api('/me')
  expect((await rssBytes()) - before).toBeLessThan(60 * MIB)
  const read = createHash('sha256')
  for await (const chunk of response) read.update(chunk)
  expect(read.digest('hex')).toBe(body.sha256)
})

test('a body that is refused before it was read is answered all the same', async () => {
  const { request, answer } = calling('POST', '/tasks/none/artifacts?path=x', { 'content-length': 500 * MIB })
  request.on('error', () => {})
  request.write(randomBytes(MIB))
  expect(await answer).toMatchObject({ status: 404 })
  request.destroy()
  const over = calling('POST', '/tasks/t1/artifacts?path=x', { 'content-length': 2000 * MIB })
  over.request.on('error', () => {})
  over.request.write(randomBytes(10))
  expect(await over.answer).toMatchObject({
    status: 413,
    body: { detail: expect.stringContaining('at most 1024 MB') },
  })
  over.request.destroy()
})

test('who watches a task is told of its files, and the metrics count their bytes', async () => {
  const socket = io(server.url, {
    transports: ['websocket'],
    extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  try {
    await socket.emitWithAck('subscribe', { taskId: 't1' })
    const told = new Promise(resolve => socket.once('artifacts', resolve))
    await announce('watched', randomBytes(10))
    expect(await told).toEqual({ taskId: 't1' })
  } finally {
    socket.close()
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  const bytes = (direction: string) =>
    Number(new RegExp(`artifact_bytes_total{direction="${direction}"} (\\d+)`).exec(metrics)![1])
  expect(bytes('in')).toBeGreaterThanOrEqual(120 * MIB)
  expect(bytes('out')).toBeGreaterThanOrEqual(120 * MIB)
})
