import { once } from 'node:events'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import type { Task } from '#protocol/task.ts'
import { transports } from '#server/testing/readers.ts'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'
import { Agent, NumberedTask } from './agent.ts'
import { Balancer } from './balancer.ts'
import { Cluster, clusterKinds } from './cluster.ts'
import { readOnAllTransports } from './steady-reader.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, demandSteadyReading, logStateOf, storedLog } from './verify.ts'

const LIMIT = 120_000
/** By an event, in milliseconds on an idle machine; whoever has to look for it himself takes longer. */
const AT_ONCE_MS = 3000
const { kinds, missing } = await clusterKinds()
if (missing !== undefined) it('several servers on one store are as one', ({ skip }) => skip(missing))

describe.each(kinds)('Servers on one store, $name', { timeout: LIMIT }, kind => {
  let cluster: Cluster
  let [a, b, c]: TestServer[] = []
  beforeAll(async () => {
    cluster = await Cluster.start(3, kind)
    ;[a, b, c] = cluster.servers
  }, LIMIT)
  afterAll(() => cluster?.dispose())

  const post = (server: TestServer, taskId: string, ...messages: string[]) =>
    server.post(`/tasks/${taskId}/logs`, { entries: messages.map(message => ({ message })) })
  const readyz = async (server: TestServer) => {
    const answer = await fetch(`${server.url}/readyz`)
    return {
      status: answer.status,
      body: (await answer.json()) as { status: string; parts: { bus: string } },
    }
  }
  const busUp = async (server: TestServer) =>
    /^keruta_bus_up (\d)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]
  const messages = (entries: LogEntry[]) => entries.map(({ message }) => message)

  /** As `storedLog`, of a log whose first lines were deleted. */
  const laterLog = async (server: TestServer, taskId: string) =>
    (await (await server.api(`/tasks/${taskId}/logs/export?format=ndjson`)).text())
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as LogEntry)

  /** A sender's socket that has said hello. */
  async function sender(server: TestServer, taskId: string, token = ADMIN_KEY, agentId?: string) {
    const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const frames: { type: string; [field: string]: unknown }[] = []
    ws.on('message', data => frames.push(JSON.parse(String(data))))
    ws.on('error', () => {})
    const closed = once(ws, 'close').then(([code]) => code as number)
    await once(ws, 'open')
    ws.send(JSON.stringify({ type: 'hello', streamId: 's', agentId }))
    const frame = async (type: string) => {
      await until(`a ${type} frame comes`, () => frames.some(frame => frame.type === type), 5000)
      return frames.find(frame => frame.type === type)!
    }
    await frame('welcome')
    return { ws, frame, frames, closed }
  }

  test('two agents write one task through two servers, and readers of all transports on all servers see each line once, in order', async () => {
    const lines = 2000
    const readers = cluster.servers.flatMap(server => readOnAllTransports(server.url, 'crowd'))
    const stream = async (server: TestServer, name: string) => {
      const agent = new Agent({ server }, 'log', '-', '--task-id', 'crowd')
      for (let number = 1; number <= lines; number++)
        agent.child.stdin!.write(`${name} ${number} of the crowd\n`)
      agent.child.stdin!.end()
      await agent.endsWith(0)
    }
    await Promise.all([stream(a!, 'agent-a'), stream(b!, 'agent-b')])
    const stored = await storedLog(c!, 'crowd')
    for (const name of ['agent-a', 'agent-b'])
      demandEveryLineOnce(stored, lines, entry => entry.message.startsWith(`${name} `))
    await demandSteadyReading(readers, stored)
    for (const reader of readers) reader.close()
  })

  test('an agent moves between servers, one of which is killed, and sends again what the next needs', async () => {
    const lines = 10_000
    const balancer = await Balancer.start(cluster.servers)
    const task = await NumberedTask.start({ server: a!, url: balancer.url }, 'moving')
    const readers = [...readOnAllTransports(c!.url, 'moving'), ...readOnAllTransports(balancer.url, 'moving')]
    try {
      for (const [index, to] of [2500, 5000, 7500].entries()) {
        task.print(to)
        await until(`line ${to - 2000} is read`, () => readers[0]!.lastSeq >= to - 2000)
        if (index === 1) {
          await a!.stop('SIGKILL')
          balancer.cut()
          task.print(to + 1000)
          await until('lines come by another server', () => readers[0]!.lastSeq > to + 500)
          await a!.start()
        } else balancer.cut()
      }
      task.print(lines)
      await task.exit()
      const stored = await storedLog(b!, 'moving')
      demandEveryLineOnce(stored, lines, entry => entry.source === 'stdout')
      expect(await logStateOf(a!, 'moving')).toBe('complete')
      await demandSteadyReading(readers, stored)
      expect(balancer.taken.every(count => count > 0)).toBe(true)
    } finally {
      for (const reader of readers) reader.close()
      await task.dispose()
      await balancer.stop()
    }
  })

  test('Redis is killed and comes back while readers follow: nothing is missing, nothing comes twice', async () => {
    const readers = [a!, b!].flatMap(server => readOnAllTransports(server.url, 'away'))
    let written = 0
    const write = async (server: TestServer, count: number) => {
      for (let end = written + count; written < end; )
        await post(server, 'away', `w ${++written}`, `w ${++written}`)
    }
    const allRead = () =>
      until(
        `all readers have line ${written}`,
        () => readers.every(reader => reader.lastSeq >= written),
        10_000,
      )
    await write(a!, 100)
    await allRead()

    await a!.post('/tasks/away-cancelled/start', { agentId: 'x' })
    await a!.post('/tasks/away-typed/start', { agentId: 'x', interactive: true })
    const typed = await sender(b!, 'away-typed', ADMIN_KEY, 'x')
    const { id, key } = await a!.post<{ id: string; key: string }>('/api-keys', {
      name: 'away',
      role: 'agent',
    })
    const [cancelled, revoked] = [await sender(b!, 'away-cancelled'), await sender(b!, 'away-revoked', key)]

    const list = io(b!.url, {
      transports: ['websocket'],
      forceNew: true,
      extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    await list.emitWithAck('subscribe', { channel: 'tasks' })

    await cluster.redis.kill()
    await until('all notice', async () => (await busUp(a!)) === '0' && (await busUp(b!)) === '0')
    let missed = 0
    list.on('missed', () => missed++)
    const degraded = await readyz(b!)
    expect(degraded).toMatchObject({ status: 200, body: { status: 'degraded' } })
    expect(degraded.body.parts.bus).toContain('Redis is away')
    await write(a!, 100)
    await allRead()
    await write(b!, 100)
    await a!.post('/tasks/away-cancelled/cancel', {})
    await a!.api(`/api-keys/${id}`, { method: 'DELETE' })
    await cancelled.frame('cancel')
    await until('lists are to be asked for again', () => missed > 0, 10_000)
    list.close()
    await a!.post('/tasks/away-typed/input', { text: 'hello' })
    expect(await typed.frame('input')).toMatchObject({ text: 'hello\n' })
    typed.ws.terminate()
    expect(await revoked.closed).toBe(4401)
    cancelled.ws.terminate()

    await cluster.redis.start()
    await write(a!, 200)
    await until('all are ready', async () =>
      (await Promise.all([a!, b!, c!].map(readyz))).every(({ body }) => body.status === 'ready'),
    )
    expect(await busUp(b!)).toBe('1')
    await write(b!, 100)
    await allRead()
    const stored = await storedLog(c!, 'away')
    demandEveryLineOnce(stored, written, () => true)
    await demandSteadyReading(readers, stored)
    for (const reader of readers) {
      expect(reader.connections).toBe(1)
      reader.close()
    }
  })

  test('a task that is cancelled on one server is cancelled for the agent on another at once', async () => {
    await a!.post('/tasks/cancelled/start', { agentId: 'x' })
    const agent = await sender(b!, 'cancelled')
    const at = performance.now()
    await c!.post('/tasks/cancelled/cancel', { message: 'no longer needed' })
    expect(await agent.frame('cancel')).toMatchObject({ taskId: 'cancelled', message: 'no longer needed' })
    expect(performance.now() - at).toBeLessThan(AT_ONCE_MS)
    agent.ws.terminate()
  })

  test('what is typed on two servers reaches the agent on a third at once, and again after a move until it is taken', async () => {
    await a!.post('/tasks/typed/start', { agentId: 'x', interactive: true })
    const agent = await sender(c!, 'typed', ADMIN_KEY, 'x')
    const texts = (frames: typeof agent.frames) =>
      frames.flatMap(frame => (frame.type === 'input' ? [frame.text] : []))
    const at = performance.now()
    const { id } = await a!.post<{ id: string }>('/tasks/typed/input', { text: 'one' })
    await b!.post('/tasks/typed/input', { text: 'two' })
    await until('both have come', () => texts(agent.frames).length === 2)
    expect(performance.now() - at).toBeLessThan(AT_ONCE_MS)
    agent.ws.send(JSON.stringify({ type: 'inputTaken', id }))
    agent.ws.close()
    await agent.closed
    const moved = await sender(a!, 'typed', ADMIN_KEY, 'x')
    await b!.post('/tasks/typed/input', { text: 'three' })
    await until('the rest has come', () => texts(moved.frames).length >= 2)
    expect(texts(moved.frames)).toEqual(['two\n', 'three\n'])
    await b!.post('/tasks/typed/success', { agentId: 'x' })
    moved.ws.terminate()
  })

  test('a transition has one winner, whichever servers the racers ask', async () => {
    await a!.post('/tasks', { id: 'race', name: 'race' })
    const racers = Array.from({ length: 21 }, (_, index) =>
      cluster.servers[index % 3]!.api('/tasks/race/start', {
        method: 'POST',
        body: JSON.stringify({ agentId: `agent-${index}` }),
      }),
    )
    const statuses = (await Promise.all(racers)).map(({ status }) => status)
    expect(statuses.filter(status => status === 200).length).toBe(1)
    expect(statuses.filter(status => status === 409).length).toBe(20)
    const views = await Promise.all(
      cluster.servers.map(async server => (await server.api('/tasks/race')).json()),
    )
    expect(new Set((views as Task[]).map(({ agentId }) => agentId)).size).toBe(1)
  })

  /** An agent that waits for work in a session. */
  async function waiting(server: TestServer, sessionId: string) {
    const ws = new WebSocket(
      `${server.url.replace('http', 'ws')}/ws/sessions/${sessionId}?token=${ADMIN_KEY}`,
    )
    const frames: { type: string; status?: string }[] = []
    ws.on('message', data => frames.push(JSON.parse(String(data))))
    await once(ws, 'open')
    ws.send(JSON.stringify({ type: 'hello', agentId: 'waiting' }))
    await until('it is greeted', () => frames[0]?.type === 'session', 5000)
    return { ws, frames }
  }
  const add = (server: TestServer, sessionId: string) =>
    server.post<Task>(`/sessions/${sessionId}/tasks`, { script: 'true' })

  test('a task that comes to a queue on one server wakes agents on all within a second, and one of them gets it', async () => {
    await a!.post('/sessions', { id: 'woken', name: 'woken' })
    const agents = await Promise.all([a!, b!, c!, b!, c!].map(server => waiting(server, 'woken')))
    const { id } = await add(a!, 'woken')
    await until('all are woken', () => agents.every(({ frames }) => frames[1]?.type === 'work'), 1000)
    const claims = agents.map((_, index) =>
      cluster.servers[index % 3]!.api('/sessions/woken/tasks/claim', {
        method: 'POST',
        body: JSON.stringify({ agentId: `agent-${index}` }),
      }),
    )
    const answers = await Promise.all(claims)
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 204, 204, 204, 204])
    expect(await answers.find(({ status }) => status === 200)!.json()).toMatchObject({ id })
    const completed = { method: 'PATCH', body: JSON.stringify({ status: 'COMPLETED' }) }
    expect((await b!.api('/sessions/woken', completed)).status).toBe(200)
    const told = () => agents.every(({ frames }) => frames.at(-1)?.status === 'COMPLETED')
    await until('all know that the session is over', told, 1000)
    for (const { ws } of agents) ws.close()
  })

  test('while Redis is away, agents on another server learn of new tasks from the store', async () => {
    await a!.post('/sessions', { id: 'quiet', name: 'quiet' })
    const agent = await waiting(b!, 'quiet')
    await cluster.redis.kill()
    await until('the bus is down', async () => (await busUp(b!)) === '0')
    await add(a!, 'quiet')
    await until('the agent is woken', () => agent.frames[1]?.type === 'work', 10_000)
    await cluster.redis.start()
    await until('the bus is up', async () => (await busUp(a!)) === '1' && (await busUp(b!)) === '1')
    agent.ws.close()
  })

  test('the console on one server sees what happens on another', async () => {
    const socket = io(b!.url, {
      transports: ['websocket'],
      extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    const seen: string[] = []
    socket.on('task', change => seen.push('task' in change ? `task ${change.task.status}` : 'deleted'))
    socket.on('stats', ({ logs, logState }) => seen.push(`stats ${logs.total} ${logState.state}`))
    socket.on('cleared', ({ firstSeq }) => seen.push(`cleared ${firstSeq}`))
    await socket.timeout(5000).emitWithAck('subscribe', { channel: 'tasks' })
    await socket.timeout(5000).emitWithAck('subscribe', { taskId: 'watched', options: { realtime: true } })
    const sees = (what: string) => until(`it sees ${what}`, () => seen.includes(what), 5000)
    await a!.post('/tasks', { id: 'watched', name: 'watched' })
    await sees('task PENDING')
    await a!.post('/tasks/watched/start', { agentId: 'x' })
    await sees('task PROCESSING')
    await post(a!, 'watched', 'one', 'two')
    await sees('stats 2 arriving')
    await a!.api('/tasks/watched/logs', { method: 'DELETE' })
    await sees('cleared 0')
    await a!.post('/tasks/watched/success', {})
    await sees('task COMPLETED')
    await a!.api('/tasks/watched', { method: 'DELETE' })
    await sees('deleted')
    socket.close()
  })

  test('the log of a task that is over still arrives while its agent is connected to another server', async () => {
    const agent = await sender(a!, 'late')
    agent.ws.send(
      JSON.stringify({ type: 'logs', streamId: 's', entries: [{ n: 1, source: 'stdout', message: 'one' }] }),
    )
    await agent.frame('ack')
    await a!.post('/tasks/late/start', { agentId: 'x' })
    await a!.post('/tasks/late/success', {})
    await until('it is arriving', async () => (await logStateOf(b!, 'late')) === 'arriving', 5000)
    agent.ws.terminate()
    await until('it is incomplete', async () => (await logStateOf(b!, 'late')) === 'incomplete', 5000)
  })

  test('a task that one server removes is made anew by lines that come to another', async () => {
    await post(b!, 'removed', 'before')
    expect((await a!.api('/tasks/removed', { method: 'DELETE' })).status).toBe(204)
    await until('its lines make it again', async () => {
      await post(b!, 'removed', 'after')
      return (await a!.api('/tasks/removed')).ok
    })
    expect(messages(await laterLog(a!, 'removed'))).toContain('after')
  })

  test('a login is good on every server, and a revoked key ends everywhere at once', async () => {
    const { id, key } = await a!.post<{ id: string; key: string }>('/api-keys', { name: 'k', role: 'agent' })
    const login = await fetch(`${a!.url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key }),
    })
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!
    const me = () => fetch(`${b!.url}/api/v1/me`, { headers: { cookie } })
    expect((await me()).status).toBe(200)
    const agent = await sender(b!, 'revoked', key)
    await a!.api(`/api-keys/${id}`, { method: 'DELETE' })
    expect(await agent.closed).toBe(4401)
    expect((await me()).status).toBe(401)
  })

  test('wrong keys are counted over all servers together', async () => {
    const tryOn = async (server: TestServer) =>
      (
        await fetch(`${server.url}/api/v1/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ key: 'wrong' }),
        })
      ).status
    const statuses: number[] = []
    for (let guess = 0; guess < 12; guess++) statuses.push(await tryOn(cluster.servers[guess % 3]!))
    expect(statuses.filter(status => status === 401).length).toBeLessThanOrEqual(10)
    expect(statuses.at(-1)).toBe(429)
  })

  test.each([
    { name: 'without sticky sessions, over WebSocket', sticky: false, transports: ['websocket'] },
    { name: 'with sticky sessions, over polling', sticky: true, transports: ['polling', 'websocket'] },
  ])('Socket.IO works behind a load balancer $name', async ({ sticky, transports: ways }) => {
    const balancer = await Balancer.start([a!, b!], { sticky })
    const taskId = `balanced-${sticky}`
    const clients = Array.from({ length: 4 }, () =>
      io(balancer.url, {
        transports: ways,
        forceNew: true,
        extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
      }),
    )
    const got = clients.map(socket => {
      const seqs: number[] = []
      socket.on('logs', batch => seqs.push(...batch.entries.map((entry: LogEntry) => entry.seq)))
      return seqs
    })
    for (const socket of clients)
      await socket.timeout(5000).emitWithAck('subscribe', { taskId, options: { realtime: true, after: 0 } })
    for (let count = 0; count < 10; count++) await post(c!, taskId, 'one', 'two')
    await until('all have all lines', () => got.every(seqs => seqs.length >= 20), 5000)
    for (const seqs of got) expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    if (!sticky) expect(balancer.taken.every(count => count > 0)).toBe(true)
    for (const socket of clients) socket.close()
    await balancer.stop()
  })

  test.each(transports)('a line is read over %s on another server within a second', async (name, connect) => {
    const taskId = `live-${name.replaceAll(' ', '-')}`
    const reader = connect(b!.url, taskId, { after: 0 })
    await reader.ready
    await post(a!, taskId, 'first')
    await until('the first line comes', () => reader.entries.length === 1)
    for (let count = 2; count <= 20; count++) {
      await post(a!, taskId, 'next')
      await until('the next line comes', () => reader.entries.length === count, 1000)
    }
    reader.close()
  })
})
