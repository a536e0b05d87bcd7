import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest'
import type { Artifact } from '#protocol/artifact.ts'
import type { Problem } from '#protocol/problem.ts'
import { missingNginx, Nginx } from '#server/testing/nginx.ts'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'
import { NumberedTask } from './agent.ts'
import { Cluster, clusterKinds } from './cluster.ts'
import { readOnAllTransports, type SteadyReader } from './steady-reader.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, demandSteadyReading, logStateOf, storedLog } from './verify.ts'

const LIMIT = 120_000
const withoutNginx = await missingNginx()
const { kinds, missing } =
  withoutNginx === undefined ? await clusterKinds() : { kinds: [], missing: withoutNginx }
if (missing !== undefined) it('servers work behind nginx as it is deployed', ({ skip }) => skip(missing))

const headers = { authorization: `Bearer ${ADMIN_KEY}` }

describe.each(kinds)('behind nginx as it is deployed, $name', { timeout: LIMIT }, kind => {
  let cluster: Cluster
  let nginx: Nginx
  let [a, b]: TestServer[] = []
  beforeAll(async () => {
    cluster = await Cluster.start(2, kind)
    ;[a, b] = cluster.servers
    nginx = await Nginx.start([a!.url, b!.url])
  }, LIMIT)
  afterAll(async () => {
    await nginx?.dispose()
    await cluster?.dispose()
  })

  test('each line comes once and in order while a server is killed, nginx reloads and restarts, and the store goes', async () => {
    const task = await NumberedTask.start({ server: b!, url: nginx.url }, 'through')
    const readers = readOnAllTransports(nginx.url, 'through')
    const all = (line: number) => (reader: SteadyReader) => reader.lastSeq >= line
    const read = (line: number) => until(`all have line ${line}`, () => readers.every(all(line)))
    try {
      task.print(500)
      await read(500)
      await a!.stop('SIGKILL')
      task.print(1000)
      await read(1000)
      const back = a!.start()
      back.catch(() => {})

      await nginx.reload()
      task.print(1500)
      await read(1500)
      await nginx.stop()
      task.print(2000)
      await task.printed(2000)
      await nginx.start()
      await read(2000)
      await back

      await cluster.mongo.kill()
      task.print(2500)
      const [ready, tasks] = await Promise.all([
        fetch(`${nginx.url}/readyz`),
        fetch(`${nginx.url}/api/v1/tasks`, { headers }),
      ])
      expect([ready.status, tasks.status]).toEqual([503, 503])
      expect([ready, tasks].map(answer => answer.headers.get('retry-after'))).toEqual(['1', '1'])
      expect(await ready.json()).toMatchObject({
        parts: { store: expect.stringContaining('cannot be used') },
      })
      await cluster.mongo.start()
      await read(2500)

      await task.exit()
      const stored = await storedLog(b!, 'through')
      demandEveryLineOnce(stored, 2500, entry => entry.source === 'stdout')
      await demandSteadyReading(readers, stored)
      expect(await logStateOf(a!, 'through')).toBe('complete')
    } finally {
      for (const reader of readers) reader.close()
      await task.dispose()
    }
  })

  test.each([
    { name: 'over WebSocket alone, at all servers', transports: ['websocket'], servers: 2 },
    { name: 'over polling, a client at one server', transports: ['polling'], servers: 1 },
  ])('Socket.IO works $name', async ({ transports, servers }) => {
    const before = (await nginx.accessLog()).length
    const taskId = `over-${transports}`
    const clients = Array.from({ length: 16 }, () =>
      io(nginx.url, { transports, forceNew: true, extraHeaders: headers }),
    )
    const seen = clients.map(client => {
      const messages: string[] = []
      client.on('logs', ({ entries }) =>
        messages.push(...entries.map((entry: { message: string }) => entry.message)),
      )
      return messages
    })
    for (const client of clients)
      await client.timeout(10_000).emitWithAck('subscribe', { taskId, options: { realtime: true, after: 0 } })
    await b!.post(`/tasks/${taskId}/logs`, { entries: [{ message: 'one' }, { message: 'two' }] })
    await until('all have both lines', () => seen.every(messages => messages.length === 2))
    for (const client of clients) client.close()
    const asked = async () =>
      (await nginx.accessLog())
        .slice(before)
        .filter(line => line.includes('/socket.io/'))
        .map(line => line.split(' ').at(-1))
    await until('all are gone', async () => (await asked()).length >= clients.length)
    expect(new Set(await asked()).size).toBe(servers)
  })

  test('a large artifact goes up whole and comes down in ranges, and nothing waits in files of nginx', async () => {
    await b!.post('/tasks', { id: 'files', name: 'files' })
    const bytes = randomBytes(20 * 1024 * 1024)
    const up = await fetch(`${nginx.url}/api/v1/tasks/files/artifacts?path=big.bin`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: bytes,
    })
    const artifact = (await up.json()) as Artifact
    expect([up.status, artifact.sha256]).toEqual([201, createHash('sha256').update(bytes).digest('hex')])
    const [from, to] = [5_000_000, 15_000_000]
    const down = await fetch(`${nginx.url}/api/v1/artifacts/${artifact.id}/content`, {
      headers: { ...headers, range: `bytes=${from}-${to - 1}` },
    })
    expect(down.status).toBe(206)
    expect(Buffer.from(await down.arrayBuffer()).equals(bytes.subarray(from, to))).toBe(true)
    expect(nginx.output).not.toContain('buffered to a temporary file')
  })
})

describe.skipIf(missing !== undefined)('nginx as it is deployed', () => {
  /** Takes requests and goes away. @returns what was asked of it */
  async function dying() {
    const asked: string[] = []
    const server = createServer(({ method, socket }) => {
      asked.push(method!)
      socket.destroy()
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  async function start(...servers: [string, string]) {
    const nginx = await Nginx.start(servers)
    onTestFinished(() => nginx.dispose())
    return nginx
  }

  test('asks another server where one goes away, but never twice for what may have been done', async () => {
    const ask = async (method: string) => {
      const [one, other] = [await dying(), await dying()]
      const nginx = await start(one.url, other.url)
      const answer = await fetch(`${nginx.url}/api/v1/tasks`, { method })
      return { answer, asked: [...one.asked, ...other.asked] }
    }
    const post = await ask('POST')
    expect([post.answer.status, post.asked]).toEqual([502, ['POST']])
    expect(post.answer.headers.get('content-type')).toBe('application/problem+json')
    expect(((await post.answer.json()) as Problem).detail).toContain('may have been done')
    const get = await ask('GET')
    expect([get.answer.status, get.asked]).toEqual([502, ['GET', 'GET']])
  })

  test('answers 503 with Retry-After where no server is there, and writes no token down', async () => {
    const nginx = await start('http://127.0.0.1:1', 'http://127.0.0.1:2')
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${nginx.url}/api/v1/tasks?token=secret-key`, { method })
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await answer.json()).toMatchObject({ status: 503, retryAfterMs: 1000 })
    }
    await until('both are noted', async () => (await nginx.accessLog()).length === 2)
    expect((await nginx.accessLog()).join()).not.toContain('secret-key')
  })
})
